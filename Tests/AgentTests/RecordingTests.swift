import Agent
import Providers
import Synchronization
import Testing
import Wire

/// Keeps records in memory, and refuses from the one on whose word is set.
final class MemoryRecorder: ChatRecorder {
  private let all = Mutex<[String]>([])
  private let refused: String?

  struct Full: Error, CustomStringConvertible {
    let description = "the disk is full"
  }

  init(refusing word: String? = nil) { refused = word }

  var words: [String] { all.withLock { $0 } }

  func announce(_ record: ChatRecord) async throws -> UInt64 {
    let word = Self.word(record)
    if let refused, word.hasPrefix(refused) { throw Full() }
    return all.withLock { all in
      all.append(word)
      return UInt64(all.count)
    }
  }

  func keep(_ record: ChatRecord) async { note(record) }

  func note(_ record: ChatRecord) { all.withLock { $0.append(Self.word(record)) } }

  /// With the step, and the number of the record it comes from.
  private static func word(_ record: ChatRecord) -> String {
    switch record {
    case .prompted(let text): "prompted \(text)"
    case .stepBegan(let step): "step \(step)"
    case .answered(let answer, let step, let cause):
      "answered \(step) from \(cause), \(answer.calls.count) calls"
    case .modelFailed(let reason, let step, let cause): "failed \(step) from \(cause): \(reason)"
    case .modelCut(let text, let step, let cause): "cut \(step) from \(cause): \(text)"
    case .stopAsked: "stop asked"
    case .toolAnswered(_, let tool, _, let id, let place):
      "tool \(tool) \(id) \(place.step) from \(place.cause)"
    case .ended(let end, let steps, let calls, _): "ended \(end.state) \(steps) \(calls)"
    }
  }
}

@Suite(.timeLimit(.minutes(5))) struct `Records of a turn` {
  private func run(
    _ model: ScriptedModel,
    _ recorder: MemoryRecorder,
    _ tools: ScriptedTools = ScriptedTools { _ in .exited(0) }
  ) async -> Chat {
    let runner = Runner(model: model, tools: tools, recorder: recorder) { _ in }
    return await runner.run("p", in: Chat(instructions: "i"))
  }

  private static let ls = ("process.exec", #"{"argv":["ls"]}"#)

  @Test func `each step says what it comes from`() async {
    let recorder = MemoryRecorder()
    let places = Mutex<[ChatPlace?]>([])
    let tools = ScriptedTools { request in
      places.withLock { $0.append(request.place) }
      return .exited(0)
    }
    let model = ScriptedModel(.success(.calls(Self.ls)), .success(ModelAnswer(text: "done")))
    let chat = await run(model, recorder, tools)
    #expect(chat.state == .completed)
    #expect(
      recorder.words == [
        "prompted p", "step 1", "answered 1 from 2, 1 calls",
        "tool process.exec call_process.exec 1 from 3", "step 2", "answered 2 from 5, 0 calls",
        "ended completed 2 1",
      ]
    )
    #expect(places.withLock { $0 } == [ChatPlace(step: 1, cause: 3)])
  }

  @Test func `a request that cannot be kept is not made`() async {
    let model = ScriptedModel(.success(ModelAnswer(text: "done")))
    let recorder = MemoryRecorder(refusing: "step")
    let chat = await run(model, recorder)
    #expect(chat.state == .failed)
    #expect(model.requests.isEmpty)
    #expect(recorder.words.last?.hasPrefix("ended failed") == true)
  }

  /// Told again from its records, the chat would have an end without a beginning.
  @Test func `of a message that cannot be kept nothing is, and the chat is as it was`() async {
    let model = ScriptedModel(.success(ModelAnswer(text: "done")))
    let recorder = MemoryRecorder(refusing: "prompted")
    let updates = Mutex<[ChatUpdate]>([])
    let runner = Runner(
      model: model,
      tools: ScriptedTools { _ in .exited(0) },
      recorder: recorder
    ) { update in updates.withLock { $0.append(update) } }
    let before = Chat(instructions: "i")
    let chat = await runner.run("p", in: before)
    #expect(chat.messages == before.messages)
    #expect(chat.state == before.state)
    #expect(model.requests.isEmpty)
    #expect(recorder.words == [])
    let told = updates.withLock { $0 }
    guard case .ended(let end) = told.last else {
      Issue.record("followers heard of no end: \(told)")
      return
    }
    #expect(told.count == 1)
    #expect(end.state == .failed)
    #expect(end.reason.contains("the disk is full"))
  }

  @Test func `an answer that cannot be kept has no effects`() async {
    let tools = ScriptedTools { _ in .exited(0) }
    let model = ScriptedModel(.success(.calls(Self.ls)))
    let chat = await run(model, MemoryRecorder(refusing: "answered"), tools)
    #expect(chat.state == .failed)
    #expect(tools.endedCalls.isEmpty)
  }

  @Test func `a model that fails is kept as such`() async {
    let model = ScriptedModel(.failure(ProviderError(.refused, "no such model")))
    let recorder = MemoryRecorder()
    _ = await run(model, recorder)
    #expect(
      recorder.words == [
        "prompted p", "step 1", "failed 1 from 2: no such model", "ended failed 1 0",
      ]
    )
  }
}
