import Agent
import Providers
import Synchronization
import Testing
import Wire

@Suite(.timeLimit(.minutes(5))) struct RunnerTests {
  private static let ls = ("process.exec", #"{"argv":["ls"]}"#)

  /// Updates of a turn, in order.
  final class Updates: Sendable {
    private let all = Mutex<[ChatUpdate]>([])
    func append(_ update: ChatUpdate) { all.withLock { $0.append(update) } }

    /// The kinds, one word each.
    var kinds: [String] {
      all.withLock { $0 }.map {
        switch $0 {
        case .text: "text"
        case .toolStarted: "started"
        case .toolOutput: "output"
        case .toolEnded: "ended"
        case .step: "step"
        case .retrying: "retrying"
        case .ended: "end"
        case .prompted: "prompt"
        }
      }
    }
  }

  private func run(
    _ model: ScriptedModel,
    _ tools: ScriptedTools,
    updates: Updates = Updates(),
    bounds: TurnBounds = TurnBounds(),
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) async -> Chat {
    let runner = Runner(model: model, tools: tools, sleep: sleep) { updates.append($0) }
    return await runner.run("p", in: Chat(instructions: "i", bounds: bounds))
  }

  @Test func `a turn runs from message to answer`() async {
    let updates = Updates()
    let model = ScriptedModel(.success(.calls(Self.ls)), .success(ModelAnswer(text: "done")))
    let chat = await run(model, ScriptedTools(output: "x") { _ in .exited(0) }, updates: updates)
    #expect(chat.state == .completed)
    #expect(chat.steps == 2)
    #expect(chat.callCount == 1)
    #expect(chat.usage == ModelUsage(inputTokens: 100, outputTokens: 10))
    #expect(
      updates.kinds == ["prompt", "step", "started", "output", "ended", "text", "step", "end"]
    )
    #expect(
      model.requests.last?.messages.last == .result(callID: "gatehouse_c1", text: "exit code 0\nx")
    )
  }

  @Test func `bad calls go back as errors beside good ones`() async {
    let model = ScriptedModel(
      .success(.calls(("nope", "{}"), Self.ls, ("process.exec", "{"))),
      .success(ModelAnswer(text: "done"))
    )
    let chat = await run(model, ScriptedTools { _ in .exited(0) })
    #expect(chat.state == .completed)
    let results = model.requests.last?.messages.suffix(3).map { message in
      if case .result(_, let text) = message { String(text.prefix(11)) } else { "" }
    }
    #expect(results == ["error: ther", "exit code 0", "error: the "])
  }

  @Test func `the rest of a clipped result is there to be read`() async {
    let model = ScriptedModel(
      .success(.calls(Self.ls)),
      .success(.calls(("output.read", #"{"call":"c1","offset":20000,"max_bytes":3}"#))),
      .success(ModelAnswer(text: "done"))
    )
    let output = String(repeating: "abc", count: 20_000)
    _ = await run(model, ScriptedTools(output: output) { _ in .exited(0) })
    #expect(
      model.requests.last?.messages.last
        == .result(
          callID: "gatehouse_c2",
          text: "[bytes 20000 to 20003 of 60000; go on at offset 20003]\ncab"
        )
    )
  }

  @Test func `a model that gives up fails the turn with its reason`() async {
    let model = ScriptedModel(.failure(ProviderError(.unauthorized, "no key")))
    let updates = Updates()
    let chat = await run(model, ScriptedTools { _ in nil }, updates: updates)
    #expect(chat.state == .failed)
    #expect(updates.kinds == ["prompt", "end"])
  }

  @Test func `a stop while calls run returns when they have ended`() async {
    let model = ScriptedModel(.success(.calls(Self.ls, ("process.shell", #"{"script":"x"}"#))))
    let tools = ScriptedTools { _ in nil }
    let task = Task { await run(model, tools) }
    var started = tools.started.stream.makeAsyncIterator()
    await started.next()
    await started.next()
    task.cancel()
    let chat = await task.value
    #expect(chat.state == .interrupted)
    #expect(tools.endedCalls.count == 2)
  }

  @Test func `a stop while the model thinks ends the turn`() async {
    let model = ScriptedModel()
    let task = Task { await run(model, ScriptedTools { _ in nil }) }
    for await _ in model.asked.stream { break }
    task.cancel()
    #expect(await task.value.state == .interrupted)
  }

  @Test func `a turn whose time is up ends its calls`() async {
    let model = ScriptedModel(.success(.calls(Self.ls)))
    let tools = ScriptedTools { _ in nil }
    // The turn's time is up when the call has started.
    let chat = await run(model, tools) { _ in for await _ in tools.started.stream { break } }
    #expect(chat.state == .failed)
    #expect(tools.endedCalls == ["process.exec"])
  }
}
