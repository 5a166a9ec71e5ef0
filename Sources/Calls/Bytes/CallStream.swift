/// A byte stream of a call. Raw values are those of `gatehouse.tools.v1.Stream`.
package enum CallStream: UInt8, Sendable, CaseIterable {
  /// To the tool.
  case stdin = 1
  /// From the tool.
  case stdout = 2
  case stderr = 3
  /// From the tool; with a terminal it replaces both outputs.
  case pty = 4
  /// To the daemon: a request too large for its offer.
  case request = 5

  /// From the tool. `Direction` says where a stream may occur.
  package static let outputs: [CallStream] = [.stdout, .stderr, .pty]

  package var direction: Direction {
    switch self {
    case .stdin, .request: .toTool
    case .stdout, .stderr, .pty: .fromTool
    }
  }

  package enum Direction: Sendable { case toTool, fromTool }
}
