internal import Agent
internal import FoundationEssentials
internal import Providers
internal import RPC
internal import SwiftProtobuf
internal import Testing
internal import Wire

@testable internal import Plane

@Suite struct `The log of a chat` {
  private func text(_ text: String) -> Gatehouse_Plane_V1_FollowChatResponse.OneOf_Event {
    .text(.with { $0.text = text })
  }

  @Test func `events are numbered from 1 and read from any place`() async throws {
    let log = ChatLog()
    for word in ["a", "b", "c"] { log.append(text(word)) }
    #expect(try await log.events(after: 0).map(\.sequence) == [1, 2, 3])
    #expect(try await log.events(after: 2).map(\.text.text) == ["c"])
  }

  @Test func `nothing comes after the end`() async throws {
    let log = ChatLog()
    log.append(.ended(.with { $0.state = .completed }))
    #expect(try await log.events(after: 1).isEmpty)
    #expect(try await log.events(after: 99).isEmpty)
    #expect(log.end?.state == .completed)
  }

  @Test(.timeLimit(.minutes(5)))
  func `who waits is told, and may be cancelled`() async throws {
    let log = ChatLog()
    async let news = log.events(after: 0)
    log.append(text("a"))
    #expect(try await news.count == 1)
    let waiting = Task { try await log.events(after: 1) }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
  }

  @Test func `output beyond the bound is left out, without a hole`() async throws {
    let log = ChatLog()
    let part = Data(count: 3 << 20)
    for number in 0..<5 {
      log.append(
        .toolOutput(
          .with {
            $0.data = part
            $0.offset = UInt64(number * part.count)
          }
        )
      )
    }
    log.append(text("after"))
    let events = try await log.events(after: 0)
    #expect(events.map(\.sequence) == [1, 2, 3])
    #expect(events.last?.text.text == "after")
  }
}

@Suite struct `What followers of a call are told` {
  private func output(_ data: String, at offset: UInt64) -> ChatUpdate {
    .toolOutput(
      .with {
        $0.callID = "call_1"
        $0.stream = .stdout
        $0.offset = offset
        $0.data = Data(data.utf8)
      }
    )
  }

  private func texts(_ log: ChatLog) async throws -> [String] {
    try await log.events(after: 0, waits: false).map { event in
      switch event.event {
      case .toolStarted: "started"
      case .toolOutput(let output): String(decoding: output.data, as: UTF8.self)
      case .toolEnded: "ended"
      default: "?"
      }
    }
  }

  @Test func `is told once, however often the call is read from its start`() async throws {
    let started = ChatUpdate.toolStarted(.with { $0.callID = "call_1" })
    let ended = ChatUpdate.toolEnded(.with { $0.callID = "call_1" })
    let before = ChatLog()
    for update in [started, output("abc", at: 0)] { before.append(update) }
    let log = ChatLog(try await before.events(after: 0))
    for update in [
      started, output("ab", at: 0), output("bcd", at: 1), output("e", at: 4), ended, started, ended,
    ] { log.append(update) }
    #expect(try await texts(log) == ["started", "abc", "d", "e", "ended"])
  }

  @Test func `ends with what a stopping plane does`() async throws {
    let log = ChatLog()
    log.suspend()
    log.append(.ended(.with { $0.state = .interrupted }))
    #expect(log.last == 0)
    #expect(log.end == nil)
  }
}

@Suite(.timeLimit(.minutes(5))) struct `Chats over the wire` {
  private static let transcript = """
    {"name": "script", "steps": [{"text": "All is well."}]}
    """

  private func scripted() async throws -> TestPlane {
    var models = PlaneModels()
    models.transcript = try Transcript(parsing: Self.transcript)
    return try await TestPlane(models: models)
  }

  private func start(
    _ connection: Connection,
    _ workspace: String,
    model: String = ""
  ) async throws -> Gatehouse_Plane_V1_StartChatResponse {
    try await connection.ask(
      "/gatehouse.plane.v1.Chats/Start",
      Gatehouse_Plane_V1_StartChatRequest.with {
        $0.workspace = workspace
        $0.prompt = "How is it?"
        $0.model = model
      }
    )
  }

  @Test func `a follower reads a turn to its end`() async throws {
    let test = try await scripted()
    _ = try await test.external("a1")
    let admin = try await test.admin()
    let chat = try await start(admin, "a1")
    #expect(chat.model == "script")
    let follow = try await admin.openStream("/gatehouse.plane.v1.Chats/Follow")
    try await follow.send(
      Gatehouse_Plane_V1_FollowChatRequest.with { $0.chatID = chat.chatID }.serializedBytes()
    )
    await follow.halfClose()
    var text = ""
    var end: Gatehouse_Plane_V1_TurnEnded?
    while let message = try await follow.next() {
      let event = try Gatehouse_Plane_V1_FollowChatResponse(serializedBytes: message)
      text += event.text.text
      if case .ended(let ended) = event.event { end = ended }
    }
    #expect(text == "All is well.")
    #expect(end?.state == .completed)
    let list: Gatehouse_Plane_V1_ListChatsResponse = try await admin.ask(
      "/gatehouse.plane.v1.Chats/List",
      Gatehouse_Plane_V1_ListChatsRequest()
    )
    #expect(list.chats.map(\.chatID) == [chat.chatID])
    #expect(list.chats.first?.state == .completed)
    let stopped: Gatehouse_Plane_V1_StopChatResponse = try await admin.ask(
      "/gatehouse.plane.v1.Chats/Stop",
      Gatehouse_Plane_V1_StopChatRequest.with { $0.chatID = chat.chatID }
    )
    #expect(stopped.state == .completed)
    #expect(stopped.callsCancelled == 0)
    await test.stop()
  }

  /// Else a plane that is killed behind the answer would not know of it.
  @Test func `a turn whose start was answered is kept`() async throws {
    let test = try await scripted()
    _ = try await test.external("a1")
    let admin = try await test.admin()
    for _ in 0..<10 {
      let chat = try await start(admin, "a1").chatID
      let follow = try await admin.openStream("/gatehouse.plane.v1.Chats/Follow")
      let request = Gatehouse_Plane_V1_FollowChatRequest.with {
        $0.chatID = chat
        $0.past = true
      }
      try await follow.send(request.serializedBytes())
      await follow.halfClose()
      let first = try #require(try await follow.next())
      let event = try Gatehouse_Plane_V1_FollowChatResponse(serializedBytes: first)
      #expect(event.prompted.text == "How is it?")
      while try await follow.next() != nil {}
    }
    await test.stop()
  }

  @Test func `beyond the bound in bytes the oldest ended chats are forgotten`() async throws {
    var models = PlaneModels()
    models.transcript = try Transcript(parsing: Self.transcript)
    // Two ended chats fit: each is a prompt, three words, a step and an end.
    let test = try await TestPlane(models: models) { $0.chatBytes = 3_500 }
    _ = try await test.external("a1")
    let admin = try await test.admin()
    var started: [String] = []
    for _ in 0..<4 {
      let chat = try await start(admin, "a1").chatID
      started.append(chat)
      let follow = try await admin.openStream("/gatehouse.plane.v1.Chats/Follow")
      try await follow.send(
        Gatehouse_Plane_V1_FollowChatRequest.with { $0.chatID = chat }.serializedBytes()
      )
      await follow.halfClose()
      while try await follow.next() != nil {}
    }
    let list: Gatehouse_Plane_V1_ListChatsResponse = try await admin.ask(
      "/gatehouse.plane.v1.Chats/List",
      Gatehouse_Plane_V1_ListChatsRequest()
    )
    #expect(list.chats.map(\.chatID) == started.suffix(3).reversed())
    await test.stop()
  }

  @Test func `without a model a chat is refused, and told how to get one`() async throws {
    let test = try await TestPlane()
    _ = try await test.external("a1")
    let admin = try await test.admin()
    let refused = await status { _ = try await start(admin, "a1") }
    #expect(refused?.code == .failedPrecondition)
    #expect(refused?.message.contains("GATEHOUSE_MODEL_URL") == true)
    await test.stop()
  }

  @Test func `an unknown workspace or chat is not found`() async throws {
    let test = try await scripted()
    let admin = try await test.admin()
    #expect(await status { _ = try await start(admin, "none") }?.code == .notFound)
    let refused = await status {
      let _: Gatehouse_Plane_V1_StopChatResponse = try await admin.ask(
        "/gatehouse.plane.v1.Chats/Stop",
        Gatehouse_Plane_V1_StopChatRequest.with { $0.chatID = "chat_none" }
      )
    }
    #expect(refused?.code == .notFound)
    await test.stop()
  }
}
