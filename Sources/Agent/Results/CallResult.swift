package import Wire

/// How a call ended, for the model and for people.
package struct CallResult: Sendable, Equatable {
  /// What the model is told, clipped.
  package var text: String
  package var outcome: Gatehouse_Tools_V1_Outcome
  package var code: Int32 = 0
  /// For people; empty when it succeeded.
  package var error = ""
  /// Unified, of a file tool.
  package var diff = ""

  package init(
    text: String,
    outcome: Gatehouse_Tools_V1_Outcome,
    code: Int32 = 0,
    error: String = ""
  ) {
    self.text = text
    self.outcome = outcome
    self.code = code
    self.error = error
  }

  /// A call that was not made, and why.
  static func refused(_ reason: String) -> CallResult {
    CallResult(text: "error: \(reason)", outcome: .refused, error: reason)
  }
}

/// Makes a result of a call's end and output.
enum ResultRendering {
  /// The result of the call with the short name `call`. `output` is what the tool wrote; a tool
  /// that answers with a message gets its rendering there.
  static func result(
    of exit: Gatehouse_Tools_V1_Exit,
    tool: String,
    call: String,
    output: inout KeptOutput
  ) -> CallResult {
    var result = CallResult(text: "", outcome: exit.outcome, code: exit.code)
    result.error = problem(exit, isCommand: tool.hasPrefix("process."))
    if exit.outcome == .exited && tool.hasPrefix("files.") && result.error.isEmpty {
      let (text, diff) = FileResponses.text(exit.response, tool: tool)
      output = KeptOutput(text)
      result.diff = diff
      result.text = Clip.text(output, call: call)
    } else {
      let body = Clip.text(output, call: call)
      result.text = [headline(exit, tool: tool), body].filter { !$0.isEmpty }
        .joined(separator: "\n")
    }
    return result
  }

  /// The first line for the model.
  private static func headline(_ exit: Gatehouse_Tools_V1_Exit, tool: String) -> String {
    let problem = problem(exit, isCommand: tool.hasPrefix("process."))
    if exit.outcome == .exited && tool.hasPrefix("process.") { return "exit code \(exit.code)" }
    return problem.isEmpty ? "" : "error: \(problem)"
  }

  /// What went wrong, for people; empty when nothing did.
  private static func problem(_ exit: Gatehouse_Tools_V1_Exit, isCommand: Bool) -> String {
    let message = exit.hasError ? exit.error.message : ""
    switch exit.outcome {
    case .exited where exit.code == 0: return ""
    case .exited: return isCommand ? "exit code \(exit.code)" : explained(exit)
    case .signalled: return "ended by signal \(exit.signal)"
    case .spawnFailed: return message.isEmpty ? "the command could not be started" : message
    case .timedOut: return "took too long; everything it started was ended"
    case .cancelled:
      return "cancelled; \(message.isEmpty ? "everything it started was ended" : message)"
    case .refused: return message.isEmpty ? "refused" : message
    default:
      let reason = message.isEmpty ? "the workspace went away" : message
      return "lost: \(reason); nobody can say whether it ran to its end"
    }
  }

  private static func explained(_ exit: Gatehouse_Tools_V1_Exit) -> String {
    let error = exit.error
    let digest =
      error.currentSha256.isEmpty
      ? "" : "; its sha256 is now \(Hexadecimal.text(error.currentSha256))"
    return "\(error.code): \(error.message)\(digest)"
  }
}
