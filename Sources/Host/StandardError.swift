internal import CLinux
internal import Glibc

/// The process's standard error, for its log.
package enum StandardError {
  package static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Writes all of it, however long that takes; blocks. What nobody reads is dropped.
  package static func write(_ bytes: [UInt8]) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { bytes in
        unsafe Glibc.write(
          STDERR_FILENO,
          bytes.baseAddress?.advanced(by: written),
          bytes.count - written
        )
      }
      if count > 0 {
        written += count
      } else if gh_errno() == EAGAIN {
        // A descriptor that was inherited may be non-blocking.
        var entry = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&entry, 1, -1)
      } else if gh_errno() != EINTR {
        return
      }
    }
  }
}
