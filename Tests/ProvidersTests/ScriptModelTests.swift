import Testing

@testable import Providers

@Suite struct ScriptModelTests {
  private static let text = #"""
    {"steps": [
      {"text": "I look.", "calls": [{"tool": "process.shell", "arguments": {"script": "make"}}]},
      {"choices": [{"if_result": "FAILED", "text": "It fails."}, {"if_result": "OK", "text": "It passes."}]}
    ]}
    """#

  private func answer(_ messages: [ModelMessage]) async throws -> ModelAnswer {
    let model = ScriptModel(try Transcript(parsing: Self.text))
    return try await model.answer(ModelRequest(messages: messages, tools: [])) { _ in }
  }

  @Test func `steps are played in order`() async throws {
    let answer = try await answer([.user("go")])
    #expect(answer.text == "I look.")
    #expect(answer.calls.map(\.arguments) == [#"{"script":"make"}"#])
  }

  @Test(arguments: [("2 FAILED", "It fails."), ("OK", "It passes.")])
  func `a result chooses the text`(result: String, text: String) async throws {
    let messages: [ModelMessage] = [
      .user("go"), .assistant(text: "", calls: []), .result(callID: "1", text: result),
    ]
    #expect(try await answer(messages).text == text)
  }

  @Test func `a result that fits nowhere is an error, and so is the end`() async throws {
    let one = ModelMessage.assistant(text: "", calls: [])
    await #expect(throws: ProviderError.self) {
      try await answer([one, .result(callID: "1", text: "?")])
    }
    await #expect(throws: ProviderError.self) { try await answer([one, one]) }
  }

  @Test(arguments: ["", "[]", "{}", #"{"steps":[1]}"#, #"{"steps":[{"calls":[{}]}]}"#])
  func `a bad transcript is refused`(text: String) {
    #expect(throws: ProviderError.self) { try Transcript(parsing: text) }
  }
}
