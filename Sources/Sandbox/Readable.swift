internal import CLinux
package import EventLoop

/// Waits for descriptors, in a process that has one thread and no event loop.
package enum Readable {
  /// For each descriptor, whether it is readable or at its end; none is when the time was up.
  ///
  /// One below zero is not watched. A deadline of `nil` is no limit.
  package static func wait(
    _ descriptors: [Int32],
    until deadline: ContinuousClock.Instant?
  ) throws(SystemError) -> [Bool] {
    var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    var timeout: Int32 = -1
    if let deadline {
      let left = deadline - .now
      // Rounded up: waking too early would wake again at once.
      timeout = Int32(max(0, min(3_600_000, (left / .milliseconds(1)).rounded(.up))))
    }
    let count = unsafe entries.withUnsafeMutableBufferPointer {
      unsafe poll($0.baseAddress, nfds_t($0.count), timeout)
    }
    guard count >= 0 || gh_errno() == EINTR else { throw SystemError("wait for descriptors") }
    return entries.map { count > 0 && $0.revents != 0 }
  }
}
