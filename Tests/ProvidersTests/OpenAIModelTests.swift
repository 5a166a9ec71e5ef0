import Synchronization
import Testing

@testable import Providers

@Suite(.timeLimit(.minutes(5))) struct OpenAIModelTests {
  private static let key = "sk-marker-71"
  private static let request = ModelRequest(
    messages: [.system("s"), .user("u")],
    tools: [ModelTool(name: "files.read", description: "d", schema: ["type": "object"])]
  )

  /// Asks a server that gives these replies, without waiting between attempts.
  private func ask(
    _ server: ScriptedServer,
    events: EventLog = EventLog(),
    attempts: Int = 1
  ) async throws -> ModelAnswer {
    defer { server.stop() }
    let endpoint = try ModelEndpoint(base: server.url, model: "m1", key: Secret(Self.key))
    var policy = RetryPolicy()
    policy.maxAttempts = attempts
    let model = Retrying(
      OpenAIModel(endpoint, client: try HTTPClient()),
      policy: policy,
      sleep: { _ in },
      jitter: { 1 }
    )
    return try await model.answer(Self.request) { events.append($0) }
  }

  final class EventLog: Sendable {
    private let events = Mutex<[ModelEvent]>([])
    func append(_ event: ModelEvent) { events.withLock { $0.append(event) } }
    var all: [ModelEvent] { events.withLock { $0 } }
  }

  private static func chunk(_ delta: String, finish: String = "null") -> String {
    #"{"choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(finish)}]}"#
  }

  @Test func `text, parallel calls and usage are put together`() async throws {
    let events = EventLog()
    let server = try ScriptedServer(
      .events(
        Self.chunk(#"{"role":"assistant","content":"Hel"}"#),
        Self.chunk(#"{"content":"lo"}"#),
        Self.chunk(
          #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"files_read","arguments":""}}]}"#
        ),
        Self.chunk(#"{"tool_calls":[{"index":1,"id":"b","function":{"name":"other"}}]}"#),
        Self.chunk(#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"path\":"}}]}"#),
        Self.chunk(#"{"tool_calls":[{"index":0,"function":{"arguments":"\"x\"}"}}]}"#),
        Self.chunk("{}", finish: #""tool_calls""#),
        #"{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5}}"#,
        "[DONE]"
      )
    )
    let answer = try await ask(server, events: events)
    #expect(
      answer
        == ModelAnswer(
          text: "Hello",
          calls: [
            ModelCall(id: "a", tool: "files.read", arguments: #"{"path":"x"}"#),
            ModelCall(id: "b", tool: "other", arguments: "{}"),
          ],
          usage: ModelUsage(inputTokens: 10, outputTokens: 5)
        )
    )
    #expect(events.all == [.text("Hel"), .text("lo")])
    let sent = try #require(server.requests.first)
    #expect(sent.hasPrefix("POST /v1/chat/completions "))
    #expect(sent.contains("Authorization: Bearer \(Self.key)\r\n"))
    #expect(sent.contains(#""stream_options":{"include_usage":true}"#))
    #expect(sent.contains(#""name":"files_read""#))
  }

  @Test(arguments: [
    // No index and no ids; a call in one piece each.
    [
      #"{"tool_calls":[{"function":{"name":"a","arguments":"{}"}}]}"#,
      #"{"tool_calls":[{"function":{"name":"b","arguments":{"x":1}}}]}"#,
    ],
    // Index 0 for both.
    [
      #"{"tool_calls":[{"index":0,"id":"1","function":{"name":"a","arguments":"{}"}}]}"#,
      #"{"tool_calls":[{"index":0,"id":"2","function":{"name":"b","arguments":"{\"x\":1}"}}]}"#,
    ],
  ])
  func `calls without a proper index are told apart`(deltas: [String]) async throws {
    let last = Self.chunk("{}", finish: #""stop""#)
    let server = try ScriptedServer(
      .events(Self.chunk(deltas[0]), Self.chunk(deltas[1]), last)
    )
    let calls = try await ask(server).calls
    #expect(calls.map(\.tool) == ["a", "b"])
    #expect(calls.map(\.arguments) == ["{}", #"{"x":1}"#])
  }

  struct Failure: Sendable, CustomTestStringConvertible {
    var reply: ScriptedServer.Reply
    var code: ProviderError.Code
    var names: String

    /// Not the reply, which may be a megabyte.
    var testDescription: String { "\(code): \(names)" }
  }

  static let failures: [Failure] = [
    Failure(reply: .status("401 No"), code: .unauthorized, names: "OPENAI_API_KEY"),
    Failure(reply: .status("403 No"), code: .forbidden, names: "'m1'"),
    Failure(reply: .status("404 No"), code: .notFound, names: "GATEHOUSE_MODEL"),
    Failure(
      reply: .status("400 Bad", body: #"{"error":{"message":"bad \#(key)"}}"#),
      code: .refused,
      names: "bad [secret]"
    ),
    Failure(reply: .status("503 Busy"), code: .unavailable, names: "503"),
    Failure(
      reply: .status("200 OK", headers: "Content-Type: text/html\r\n", body: "<html>"),
      code: .wrongContentType,
      names: "text/html"
    ),
    Failure(reply: .events(), code: .empty, names: "nothing"),
    Failure(reply: .events("garbage"), code: .garbage, names: "no JSON"),
    Failure(reply: .events("[1]"), code: .garbage, names: "no JSON"),
    Failure(reply: .events(chunk(#"{"content":"x"}"#)), code: .cut, names: "before its answer"),
    Failure(
      reply: .init("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"cho"),
      code: .cut,
      names: "within an event"
    ),
    Failure(reply: .init(""), code: .cut, names: "cut"),
    Failure(reply: .init("SSH-2.0-x\r\n"), code: .garbage, names: "does not answer in HTTP"),
    Failure(
      reply: .events(#"{"error":{"message":"no \#(key)","code":400}}"#),
      code: .reported,
      names: "no [secret]"
    ),
    Failure(
      reply: .events(String(repeating: "x", count: 1_100_000)),
      code: .tooLarge,
      names: "above"
    ),
  ]

  @Test(arguments: failures)
  func `each failure says what is wrong, and never the key`(failure: Failure) async throws {
    let server = try ScriptedServer(failure.reply)
    let error = try await #require(throws: ProviderError.self) { try await ask(server) }
    #expect(error.code == failure.code)
    #expect(error.message.contains(failure.names))
    #expect(error.message.contains("127.0.0.1:\(server.port)"))
    #expect(!error.message.contains(Self.key))
  }

  @Test(arguments: ["-1", "1e30", "9223372036854775807", "1.5", "\"7\"", "null"])
  func `a count of tokens that cannot be is no count`(count: String) async throws {
    let usage = #"{"choices":[],"usage":{"prompt_tokens":\#(count),"completion_tokens":3}}"#
    let server = try ScriptedServer(
      .events(Self.chunk(#"{"content":"x"}"#), usage, "[DONE]")
    )
    let answer = try await ask(server)
    #expect(answer.usage == ModelUsage(inputTokens: 0, outputTokens: 3))
  }

  @Test func `what passes is tried again, also after half a stream`() async throws {
    let events = EventLog()
    let server = try ScriptedServer(
      .status("429 Slow", headers: "Retry-After: 7\r\n"),
      .events(Self.chunk(#"{"content":"x"}"#)),
      .status("500 Oops"),
      .events(Self.chunk(#"{"content":"yes"}"#), "[DONE]")
    )
    #expect(try await ask(server, events: events, attempts: 5).text == "yes")
    let delays = events.all.compactMap { event -> Duration? in
      if case .retrying(_, let delay) = event { delay } else { nil }
    }
    #expect(delays == [.seconds(7), .seconds(1), .seconds(2)])
  }

  @Test func `attempts are bounded`() async throws {
    let server = try ScriptedServer(.status("500 A"), .status("500 B"), .status("500 C"))
    let error = try await #require(throws: ProviderError.self) {
      try await ask(server, attempts: 2)
    }
    #expect(error.message.hasSuffix("(after 2 attempts)"))
    #expect(server.requests.count == 2)
  }

  @Test func `a refusal is not tried again`() async throws {
    let server = try ScriptedServer(.status("401 No"), .events("[DONE]"))
    await #expect(throws: ProviderError.self) { try await ask(server, attempts: 3) }
    #expect(server.requests.count == 1)
  }
}
