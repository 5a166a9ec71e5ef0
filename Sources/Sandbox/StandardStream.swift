internal import CLinux

/// The process's own output and error, written at once and whole.
package enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  package var isTerminal: Bool { isatty(rawValue) == 1 }

  /// Opens the null device on those that are closed, standard input too. Call it first: else the next
  /// socket has one of their numbers, and gets what is meant for people.
  package static func holdAll() { _ = gh_hold_standard_streams() }

  /// What nobody reads any more is not an error.
  package func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { bytes in
        unsafe CLinux.write(rawValue, bytes.baseAddress, bytes.count)
      }
      guard count > 0 || gh_errno() == EINTR else { return }
      rest = rest.dropFirst(max(0, count))
    }
  }
}
