import Agent
import Providers
import SwiftProtobuf
import Synchronization
import Testing
import Wire

@Suite(.timeLimit(.minutes(5))) struct `A chat told again from its records` {
  /// Keeps the records themselves.
  final class Records: ChatRecorder {
    private let all = Mutex<[ChatRecord]>([])

    init(_ records: some Sequence<ChatRecord> = []) { all.withLock { $0 += records } }

    var records: [ChatRecord] { all.withLock { $0 } }

    func announce(_ record: ChatRecord) async throws -> UInt64 {
      all.withLock { all in
        all.append(record)
        return UInt64(all.count)
      }
    }

    func keep(_ record: ChatRecord) async { note(record) }
    func note(_ record: ChatRecord) { all.withLock { $0.append(record) } }
  }

  private static let answers: [Result<ModelAnswer, ProviderError>] = [
    .success(.calls(("process.exec", #"{"argv":["a"]}"#), ("process.exec", #"{"argv":["b"]}"#))),
    .success(.calls(("nope", "{}"))),
    .success(ModelAnswer(text: "done")),
  ]

  /// A whole turn.
  private func turn() async -> (chat: Chat, records: [ChatRecord]) {
    let records = Records()
    let runner = Runner(
      model: ScriptedModel(Self.answers),
      tools: ScriptedTools { _ in .exited(0) },
      recorder: records
    ) { _ in }
    let chat = await runner.run("p", in: Chat(instructions: "i"))
    return (chat, records.records)
  }

  private func replay(_ records: some Sequence<ChatRecord>) throws -> ChatReplay {
    var replay = ChatReplay(Chat(instructions: "i"))
    for (index, record) in records.enumerated() {
      try replay.apply(record, number: UInt64(index + 1))
    }
    return replay
  }

  @Test func `is the same chat`() async throws {
    let (chat, records) = await turn()
    let replay = try replay(records)
    #expect(replay.chat.messages == chat.messages)
    #expect(replay.chat.state == chat.state)
    #expect(replay.chat.usage == chat.usage)
    #expect(replay.end == TurnEnd(state: .completed))
    #expect(replay.turns == 1)
  }

  /// Wherever the process ended: what has a result is not run again, what has none is run by its name.
  @Test func `goes on from any record to the same end`() async throws {
    let (chat, records) = await turn()
    for count in 1..<records.count {
      let before = try replay(records.prefix(count))
      let answered = before.answers.count
      let calls = Mutex<[String]>([])
      let tools = ScriptedTools { request in
        calls.withLock { $0.append(request.use) }
        return .exited(0)
      }
      let kept = Records(records.prefix(count))
      let runner = Runner(
        model: ScriptedModel(Array(Self.answers.dropFirst(answered))),
        tools: tools,
        recorder: kept
      ) { _ in }
      let resumed = await runner.resume(before, cutText: "", after: .zero)
      #expect(resumed.state == .completed, "after \(count) records")
      #expect(resumed.messages.count == chat.messages.count, "after \(count) records")
      // c3 is refused by the loop itself.
      let run = ["c1", "c2"].filter { use in !before.results.map(\.use).contains(use) }
      #expect(calls.withLock { $0.sorted() } == run, "after \(count) records")
      let again = try replay(kept.records)
      #expect(again.chat.messages == resumed.messages)
    }
  }

  @Test func `a turn whose stop was asked for ends so`() async throws {
    let (_, records) = await turn()
    let before = try replay(records.prefix(2) + [.stopAsked])
    let runner = Runner(
      model: ScriptedModel([]),
      tools: ScriptedTools { _ in .exited(0) },
      recorder: Records()
    ) { _ in }
    #expect(await runner.resume(before, cutText: "", after: .zero).state == .interrupted)
  }

  @Test func `its time goes on`() async throws {
    let (_, records) = await turn()
    let runner = Runner(
      model: ScriptedModel([]),
      tools: ScriptedTools { _ in .exited(0) },
      sleep: { if $0 > .zero { try await Task.sleep(for: .seconds(3_600)) } }
    ) { _ in }
    let resumed = await runner.resume(
      try replay(records.prefix(2)),
      cutText: "",
      after: .seconds(30 * 60)
    )
    #expect(resumed.state == .failed)
  }

  @Test func `a turn that has no time left begins nothing, and ends what it began`() async throws {
    let (_, records) = await turn()
    let calls = Mutex<[String]>([])
    let tools = ScriptedTools { request in
      calls.withLock { $0.append("\(request.use) \(Task.isCancelled)") }
      return .with { $0.outcome = .cancelled }
    }
    let model = ScriptedModel([])
    let runner = Runner(model: model, tools: tools) { _ in }
    // Its calls have names and may have begun; behind them, a request would be next.
    let answered = try replay(records.prefix(3))
    let ended = await runner.resume(answered, cutText: "", after: .seconds(30 * 60))
    #expect(ended.state == .failed)
    #expect(calls.withLock { $0 }.allSatisfy { $0.hasSuffix(" true") })
    let asked = try replay(records.prefix(2))
    let other = await runner.resume(asked, cutText: "", after: .seconds(30 * 60))
    #expect(other.state == .failed)
    #expect(model.requests.isEmpty)
  }

  /// Kept by planes that could not keep the prompt.
  @Test func `an end without a beginning is passed over`() throws {
    let end = TurnEnd(state: .failed, reason: "the disk is full")
    let ended = ChatRecord.ended(end, steps: 0, calls: 0, ModelUsage())
    let alone = try replay([ended, .prompted("a")])
    #expect(alone.turns == 1)
    #expect(alone.end == nil)
    let twice = try replay([.prompted("a"), ended, ended, .prompted("b")])
    #expect(twice.turns == 2)
  }

  @Test func `records that do not fit are refused`() throws {
    #expect(throws: ChatReplay.Mismatch(number: 1)) { try replay([.stepBegan(step: 1)]) }
    #expect(throws: ChatReplay.Mismatch(number: 2)) {
      try replay([.prompted("a"), .prompted("b")])
    }
  }

  /// They may have begun: they are come back to by their names, and ended.
  @Test func `calls of a turn whose stop was asked for are ended first`() async throws {
    let (_, records) = await turn()
    let before = try replay(records.prefix(3) + [.stopAsked])
    let calls = Mutex<[String]>([])
    let tools = ScriptedTools { request in
      calls.withLock { $0.append("\(request.use) \(Task.isCancelled)") }
      return .with { $0.outcome = .cancelled }
    }
    let kept = Records()
    let runner = Runner(model: ScriptedModel([]), tools: tools, recorder: kept) { _ in }
    #expect(await runner.resume(before, cutText: "", after: .zero).state == .interrupted)
    #expect(calls.withLock { $0.sorted() } == ["c1 true", "c2 true"])
    let answered = kept.records.count { if case .toolAnswered = $0 { true } else { false } }
    #expect(answered == 2)
  }

  /// What is recorded first may have been heard of second.
  @Test func `an answer that crosses a stop takes the same names`() {
    let answer = ModelAnswer.calls(("process.exec", #"{"argv":["a"]}"#))
    func nameBehind(_ events: [ChatEvent]) -> String? {
      var chat = Chat(instructions: "i")
      for event in [.asked("p"), .stepBegan] + events {
        chat.apply(event)
      }
      for event in [
        ChatEvent.ended(TurnEnd(state: .interrupted)), .asked("q"), .stepBegan, .answered(answer),
      ] { chat.apply(event) }
      for case .perform(let call) in chat.next() { return call.name }
      return nil
    }
    #expect(nameBehind([.answered(answer), .stopAsked]) == "c2")
    #expect(nameBehind([.stopAsked, .answered(answer)]) == "c2")
  }
}
