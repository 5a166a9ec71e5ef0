package import Wire

/// The exit code that stands for a call's end, and what to say about it.
package struct ExitStatus: Sendable, Equatable {
  package let code: Int32
  /// For standard error; empty when the code says it all.
  package let message: String

  /// 124 deadline, 125 our own failure, 126 not executable, 127 not found, 128+n signal, 130
  /// interrupted; else the command's own.
  package init(_ exit: Gatehouse_Tools_V1_Exit) {
    let reason = exit.hasError ? exit.error.message : ""
    switch exit.outcome {
    case .exited: self.init(Self.byte(exit.code), exit.code == 0 ? "" : reason)
    case .signalled:
      self.init(Self.byte(exit.signal, after: 128), "ended by signal \(exit.signal)")
    case .spawnFailed: self.init(Self.spawnCode(exit.error.code), reason)
    case .timedOut:
      let remedy = "everything it started was ended; give more with --timeout"
      self.init(124, "took longer than its deadline; \(remedy)")
    // Nobody asked for it: our own failure.
    case .cancelled where !reason.isEmpty: self.init(125, "cancelled: \(reason)")
    case .cancelled: self.init(130, "cancelled; everything it started was ended")
    case .refused: self.init(125, "refused: \(reason)")
    default:
      let words = reason.isEmpty ? "nobody can say how the call ended" : reason
      let tree = exit.treeGone ? "nothing of it runs any more" : "something of it may still run"
      self.init(125, "lost: \(words); \(tree)")
    }
  }

  private init(_ code: Int32, _ message: String) {
    self.code = code
    self.message = message
  }

  /// A process's exit code is a byte. What is none, from a daemon that makes it up, is no success.
  private static func byte(_ number: Int32, after base: Int32 = 0) -> Int32 {
    (0...255 - base).contains(number) ? base + number : 255
  }

  private static func spawnCode(_ error: String) -> Int32 {
    switch error {
    case "not_found": 127
    case "not_executable", "permission_denied", "is_directory": 126
    default: 125
    }
  }
}
