internal import CLinux

/// Standard input, for a reader that can be stopped in the middle of a wait.
package final class StandardInput: Sendable {
  private let wakeUp = eventfd(0, Int32(EFD_CLOEXEC))

  package init() {}

  deinit { close(wakeUp) }

  /// Waits for bytes, at most `limit`; `nil` at the end, after an error, and once stopped. Blocks.
  package func read(limit: Int) -> [UInt8]? {
    guard waitForBytes() else { return nil }
    var bytes = [UInt8](repeating: 0, count: limit)
    while true {
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe CLinux.read(0, $0.baseAddress, $0.count)
      }
      if count > 0 { return Array(bytes.prefix(count)) }
      guard count < 0, gh_errno() == EINTR || gh_errno() == EAGAIN else { return nil }
      guard waitForBytes() else { return nil }
    }
  }

  /// Ends the wait at hand and those to come. From any thread.
  package func stop() { _ = eventfd_write(wakeUp, 1) }

  private func waitForBytes() -> Bool {
    var entries = [
      pollfd(fd: 0, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0),
    ]
    while unsafe poll(&entries, 2, -1) < 0 {
      guard gh_errno() == EINTR else { return false }
    }
    return entries[1].revents == 0
  }
}
