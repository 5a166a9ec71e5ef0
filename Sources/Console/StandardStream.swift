internal import CLinux

/// One of the process's own streams. Calls block: not for a loop's thread, nor a task's.
package enum StandardStream: Int32, Sendable {
  case input = 0
  case output = 1
  case error = 2

  package var isTerminal: Bool { isatty(rawValue) == 1 }

  /// Writes all of it, however long that takes.
  ///
  /// - Throws: `ConsoleError`; `isClosed` when nobody reads any more.
  package func write(_ bytes: [UInt8]) throws(ConsoleError) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { bytes in
        unsafe CLinux.write(
          rawValue,
          bytes.baseAddress?.advanced(by: written),
          bytes.count - written
        )
      }
      if count >= 0 {
        written += count
      } else if gh_errno() == EAGAIN {
        wait()
      } else if gh_errno() != EINTR {
        throw ConsoleError("write to \(name)", code: gh_errno())
      }
    }
  }

  /// A descriptor we inherited may be non-blocking.
  private func wait() {
    var entry = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
    _ = unsafe poll(&entry, 1, -1)
  }

  private var name: String {
    switch self {
    case .input: "standard input"
    case .output: "standard output"
    case .error: "standard error"
    }
  }
}

/// Why one of the process's own streams can't be used.
package struct ConsoleError: Error, Equatable, CustomStringConvertible {
  package let description: String
  /// Nobody reads any more: no reason to say anything.
  package let isClosed: Bool

  init(_ what: String, code: Int32) {
    let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    description = "cannot \(what): \(reason)"
    isClosed = code == EPIPE
  }
}
