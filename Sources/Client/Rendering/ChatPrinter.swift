internal import FoundationEssentials
package import Wire

/// Shows a chat as it goes: the agent's words on one stream, what its tools do on another.
package struct ChatPrinter: Sendable {
  /// Lines of a tool's output that are shown; the rest is counted.
  private static let maxLines = 12

  private let style: Style
  private let words: @Sendable (String) throws -> Void
  private let talk: @Sendable (String) -> Void
  private let showsPrompts: Bool
  private var isInLine = false
  private var outputs: [String: Output] = [:]

  private struct Output {
    var partial: [UInt8] = []
    var lines = 0
    var hidden = 0
  }

  /// `words` takes the agent's text as it comes, `talk` whole lines about its work.
  package init(
    style: Style,
    showsPrompts: Bool = false,
    words: @escaping @Sendable (String) throws -> Void,
    talk: @escaping @Sendable (String) -> Void
  ) {
    self.style = style
    self.words = words
    self.talk = talk
    self.showsPrompts = showsPrompts
  }

  /// - Throws: what `words` throws.
  package mutating func show(_ update: Gatehouse_Plane_V1_FollowChatResponse) throws {
    switch update.event {
    case .prompted(let prompt):
      try endLine()
      if showsPrompts { talk(style.bold("> " + Plain.text(prompt.text))) }
    case .text(let text):
      if text.anew {
        try endLine()
        talk(style.yellow("… the answer begins anew"))
      }
      try words(Plain.text(text.text))
      isInLine = !text.text.hasSuffix("\n")
    case .toolStarted(let started):
      try endLine()
      outputs[started.callID] = Output()
      talk(style.cyan("● ") + style.bold(started.tool) + " " + Plain.text(started.summary))
    case .toolOutput(let output): show(output)
    case .toolEnded(let ended): show(ended)
    case .step: try endLine()
    case .retrying(let retrying):
      // The answer may go on where it was cut: nothing is put between its words.
      if isInLine { talk("") }
      let delay = retrying.delayMs > 0 ? " in \(Double(retrying.delayMs) / 1000) s" : ""
      talk(style.yellow("… \(Plain.text(retrying.reason)); again\(delay)"))
    case .ended(let ended): try show(ended)
    case nil: break
    }
  }

  private mutating func show(_ output: Gatehouse_Plane_V1_ToolOutput) {
    var state = outputs[output.callID] ?? Output()
    state.partial += output.data
    while let end = state.partial.firstIndex(of: 10) {
      show(line: state.partial[..<end], &state)
      state.partial.removeFirst(end + 1)
    }
    // A line without an end is shown when it is long enough to be one.
    if state.partial.count > 4096 {
      show(line: state.partial[...], &state)
      state.partial = []
    }
    outputs[output.callID] = state
  }

  private func show(line: ArraySlice<UInt8>, _ state: inout Output) {
    state.lines += 1
    guard state.lines <= Self.maxLines else {
      state.hidden += 1
      return
    }
    talk(style.dim("  │ ") + Plain.text(String(decoding: line.prefix(400), as: UTF8.self)))
  }

  private mutating func show(_ ended: Gatehouse_Plane_V1_ToolEnded) {
    if var state = outputs.removeValue(forKey: ended.callID) {
      if !state.partial.isEmpty { show(line: state.partial[...], &state) }
      if state.hidden > 0 { talk(style.dim("  │ … \(state.hidden) more lines")) }
    }
    for line in style.diff(Plain.text(ended.diff)).split(separator: "\n") { talk("  \(line)") }
    if ended.error.isEmpty {
      talk("  " + style.green("✓ done"))
    } else {
      talk("  " + style.red("✗ " + Plain.text(ended.error)))
    }
  }

  private mutating func show(_ ended: Gatehouse_Plane_V1_TurnEnded) throws {
    try endLine()
    let tokens = ended.inputTokens &+ ended.outputTokens
    let usage = tokens > 0 ? ", \(tokens) tokens" : ""
    let work = "\(Plain.count(ended.steps, "step")), \(Plain.count(ended.calls, "call"))\(usage)"
    switch ended.state {
    case .completed: talk(style.green("✓ completed") + style.dim(" (\(work))"))
    case .interrupted: talk(style.yellow("■ stopped") + style.dim(" (\(work))"))
    default: talk(style.red("✗ \(Plain.text(ended.reason))") + style.dim(" (\(work))"))
    }
  }

  private mutating func endLine() throws {
    if isInLine { try words("\n") }
    isInLine = false
  }
}
