internal import Glibc

/// Descriptors 0 to 2, any of which a parent may have left closed.
package enum StandardDescriptors {
  /// Opens those that are closed, so that no socket or file of ours gets their number and what is meant
  /// for people is written into it. First thing in a program.
  ///
  /// They are opened the wrong way round, as glibc does for set-user-id programs: to write to a
  /// standard output that was never there fails with `EBADF`, and is not lost unseen.
  package static func fill() {
    // The lowest number that is free is this one: those below it are open by now.
    for number in 0...2 as ClosedRange<Int32> where fcntl(number, F_GETFD) < 0 {
      _ = unsafe open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY)
    }
  }
}
