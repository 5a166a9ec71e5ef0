/// A position in each stream of a call: the bytes before it, from 0.
package struct Positions: Sendable, Equatable {
  private var stdin: UInt64 = 0
  private var stdout: UInt64 = 0
  private var stderr: UInt64 = 0
  private var pty: UInt64 = 0
  private var request: UInt64 = 0

  /// The beginning of every stream.
  package init() {}

  package subscript(stream: CallStream) -> UInt64 {
    get {
      switch stream {
      case .stdin: stdin
      case .stdout: stdout
      case .stderr: stderr
      case .pty: pty
      case .request: request
      }
    }
    set {
      switch stream {
      case .stdin: stdin = newValue
      case .stdout: stdout = newValue
      case .stderr: stderr = newValue
      case .pty: pty = newValue
      case .request: request = newValue
      }
    }
  }

  /// Moves each stream on to where `other` is, and none back.
  package mutating func raise(to other: Positions) {
    stdin = max(stdin, other.stdin)
    stdout = max(stdout, other.stdout)
    stderr = max(stderr, other.stderr)
    pty = max(pty, other.pty)
    request = max(request, other.request)
  }
}
