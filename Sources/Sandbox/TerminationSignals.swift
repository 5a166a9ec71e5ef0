internal import CLinux
package import EventLoop

/// SIGTERM and SIGINT as something to wait for. Make it before other threads start: it blocks them
/// in the calling thread, and threads inherit that.
package struct TerminationSignals: ~Copyable {
  /// Readable once the process was asked to end.
  package let descriptor: Descriptor

  package init() throws(SystemError) {
    let number = gh_watch_termination()
    guard number >= 0 else { throw SystemError("watch signals") }
    descriptor = Descriptor(owning: number)
  }
}
