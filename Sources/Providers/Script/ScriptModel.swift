/// A model that plays a transcript; for demos and tests. Which step is next follows from the
/// conversation, so that it holds no state.
package struct ScriptModel: Model {
  private let transcript: Transcript

  package init(_ transcript: Transcript) { self.transcript = transcript }

  package var name: String { transcript.name }

  package func answer(
    _ request: ModelRequest,
    deliver: @Sendable (ModelEvent) async -> Void
  ) async throws -> ModelAnswer {
    let choice = try choice(for: request)
    for word in choice.text.words {
      if transcript.pace > .zero { try await Task.sleep(for: transcript.pace) }
      await deliver(.text(word))
    }
    try Task.checkCancellation()
    return ModelAnswer(text: choice.text, calls: choice.calls)
  }

  private func choice(for request: ModelRequest) throws(ProviderError) -> Transcript.Choice {
    let played = request.messages.count { if case .assistant = $0 { true } else { false } }
    guard played < transcript.steps.count else {
      throw ProviderError(.transcript, "the transcript '\(name)' ends after \(played) steps")
    }
    let results = request.messages.reversed().prefix {
      if case .result = $0 { true } else { false }
    }
    let step = transcript.steps[played]
    guard let choice = step.choices.first(where: { $0.fits(results) }) else {
      throw ProviderError(
        .transcript,
        "step \(played + 1) of the transcript '\(name)' has no answer to what the tools returned"
      )
    }
    return choice
  }
}

extension Transcript.Choice {
  fileprivate func fits(_ results: some Sequence<ModelMessage>) -> Bool {
    guard let ifResult else { return true }
    return results.contains {
      if case .result(_, let text) = $0 { text.contains(ifResult) } else { false }
    }
  }
}

extension String {
  /// The text cut before each word; joined they are the text again.
  fileprivate var words: [String] {
    var words: [String] = []
    for character in self {
      if words.isEmpty || (character == " " && words.last != " ") { words.append("") }
      words[words.count - 1].append(character)
    }
    return words
  }
}
