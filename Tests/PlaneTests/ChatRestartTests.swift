internal import FoundationEssentials
internal import Host
internal import Ledger
internal import Providers
internal import RPC
internal import SwiftProtobuf
internal import Testing
internal import Wire

@testable internal import Plane

@Suite(.timeLimit(.minutes(5))) struct `A chat and the planes it lives through` {
  private typealias Event = Gatehouse_Plane_V1_FollowChatResponse

  private static let words = (1...400).map { "\($0)" }.joined(separator: " ")

  /// `pace`: milliseconds between words.
  private func plane(
    on state: TemporaryState? = nil,
    saying steps: [String],
    pace: Int = 0
  ) async throws -> TestPlane {
    let steps = steps.map { #"{"text": "\#($0)"}"# }.joined(separator: ",")
    var models = PlaneModels()
    models.transcript = try Transcript(parsing: #"{"pace_ms": \#(pace), "steps": [\#(steps)]}"#)
    return try await TestPlane(models: models, state: state)
  }

  private func start(_ admin: Connection) async throws -> String {
    let started: Gatehouse_Plane_V1_StartChatResponse = try await admin.ask(
      "/gatehouse.plane.v1.Chats/Start",
      Gatehouse_Plane_V1_StartChatRequest.with {
        $0.workspace = "a1"
        $0.prompt = "How is it?"
      }
    )
    return started.chatID
  }

  private func send(
    _ prompt: String,
    to chat: String,
    _ admin: Connection
  ) async throws -> Gatehouse_Plane_V1_SendChatResponse {
    try await admin.ask(
      "/gatehouse.plane.v1.Chats/Send",
      Gatehouse_Plane_V1_SendChatRequest.with {
        $0.chatID = chat
        $0.prompt = prompt
      }
    )
  }

  /// What comes behind an event, to the end of the turn or until there is enough.
  private func follow(
    _ chat: String,
    _ admin: Connection,
    after: UInt64 = 0,
    until isEnough: (Event) -> Bool = { _ in false }
  ) async throws -> [Event] {
    let stream = try await admin.openStream("/gatehouse.plane.v1.Chats/Follow")
    try await stream.send(
      Gatehouse_Plane_V1_FollowChatRequest.with {
        $0.chatID = chat
        $0.after = after
      }.serializedBytes()
    )
    await stream.halfClose()
    var events: [Event] = []
    while let message = try await stream.next() {
      events.append(try Event(serializedBytes: message))
      if events.last.map(isEnough) == true { break }
    }
    return events
  }

  private func text(_ events: some Collection<Event>) -> String {
    events.map(\.text.text).joined()
  }

  private func isRetrying(_ event: Event) -> Bool {
    if case .retrying = event.event { true } else { false }
  }

  @Test func `an answer that a restart cut off is asked for again, and said so`() async throws {
    let first = try await plane(saying: [Self.words], pace: 30)
    _ = try await first.external("a1")
    let admin = try await first.admin()
    let chat = try await start(admin)
    let seen = try await follow(chat, admin) { $0.text.text.hasSuffix("3") }
    #expect(text(seen).contains("1 2"))
    await first.stop()

    let second = try await plane(on: first.state, saying: [Self.words])
    let again = try await second.admin()
    let rest = try await follow(chat, again, after: UInt64(seen.count))
    let all = seen + rest
    #expect(all.map(\.sequence) == Array(1...UInt64(all.count)))
    let cut = try #require(all.firstIndex(where: isRetrying))
    #expect(all.filter(isRetrying).count == 1)
    let told = text(all[..<cut])
    #expect(!told.isEmpty && told.count < Self.words.count)
    // The second answer says the same: no word of it is told twice.
    #expect(text(all) == Self.words)
    #expect(all.last?.ended.state == .completed)
    // Who comes anew is told the same.
    #expect(try await follow(chat, again) == all)
    await second.stop()

    let ledger = try Ledger(in: first.state.folder, LedgerOptions(origin: "none") { 0 })
    let kept = try await ledger.read(from: 1, limit: 1_000).filter { $0.header.chat == chat }
    await ledger.close()
    #expect(
      kept.map(\.header.kind.name) == [
        "chat.started", "chat.prompted", "step.begun", "model.cut", "step.begun", "model.answered",
        "chat.ended",
      ]
    )
    guard case .bytes(let bytes) = kept[3].body else { throw RPCStatus(.dataLoss, "no body") }
    #expect(try Gatehouse_Ledger_V1_Body(serializedBytes: bytes).modelCut.text == told)
  }

  @Test func `another answer than the one that was cut is told from its beginning`() async throws {
    let first = try await plane(saying: [Self.words], pace: 30)
    _ = try await first.external("a1")
    let admin = try await first.admin()
    let chat = try await start(admin)
    let seen = try await follow(chat, admin) { $0.text.text.hasSuffix("3") }
    await first.stop()
    let second = try await plane(on: first.state, saying: ["1 2 go"])
    let rest = try await follow(chat, try await second.admin(), after: UInt64(seen.count))
    let anew = try #require(rest.firstIndex { $0.text.anew })
    #expect(text(rest[anew...]) == "1 2 go")
    await second.stop()
  }

  @Test func `more is said in a chat, by the next plane too`() async throws {
    let steps = ["one", "two", "three"]
    let first = try await plane(saying: steps)
    _ = try await first.external("a1")
    let admin = try await first.admin()
    let chat = try await start(admin)
    #expect(text(try await follow(chat, admin)) == "one")
    let sent = try await send("And now?", to: chat, admin)
    #expect(sent.turn == 2)
    #expect(text(try await follow(chat, admin, after: sent.after)) == "two")
    await first.stop()

    let second = try await plane(on: first.state, saying: steps)
    let again = try await second.admin()
    let more = try await send("And then?", to: chat, again)
    #expect(more.turn == 3)
    let turn = try await follow(chat, again, after: more.after)
    #expect(turn.first?.prompted.text == "And then?")
    #expect(turn.first?.prompted.turn == 3)
    // The script's step follows from what was said before: the model was told all of it.
    #expect(text(turn) == "three")
    let list: Gatehouse_Plane_V1_ListChatsResponse = try await again.ask(
      "/gatehouse.plane.v1.Chats/List",
      Gatehouse_Plane_V1_ListChatsRequest()
    )
    #expect(list.chats.map(\.turns) == [3])
    #expect(list.chats.map(\.state) == [.completed])
    await second.stop()
  }

  @Test func `a chat at work takes nothing more`() async throws {
    let test = try await plane(saying: [Self.words], pace: 30)
    _ = try await test.external("a1")
    let admin = try await test.admin()
    let chat = try await start(admin)
    let refused = await status { _ = try await send("And?", to: chat, admin) }
    #expect(refused?.code == .failedPrecondition)
    #expect(refused?.message.contains("gatehouse chat stop \(chat)") == true)
    await test.stop()
  }

  @Test func `one that was stopped stays so`() async throws {
    let first = try await plane(saying: [Self.words], pace: 30)
    _ = try await first.external("a1")
    let admin = try await first.admin()
    let chat = try await start(admin)
    let _: Gatehouse_Plane_V1_StopChatResponse = try await admin.ask(
      "/gatehouse.plane.v1.Chats/Stop",
      Gatehouse_Plane_V1_StopChatRequest.with { $0.chatID = chat }
    )
    let told = try await follow(chat, admin)
    #expect(told.last?.ended.state == .interrupted)
    await first.stop()
    let second = try await plane(on: first.state, saying: [Self.words])
    #expect(try await follow(chat, try await second.admin()) == told)
    await second.stop()
  }

  @Test func `what was half written is cut off, and told from the ledger`() async throws {
    let first = try await plane(saying: ["All is well."])
    _ = try await first.external("a1")
    let admin = try await first.admin()
    let chat = try await start(admin)
    let told = try await follow(chat, admin)
    await first.stop()
    let path = first.state.folder.path(of: "chats/\(chat)")
    let bytes = try #require(FileManager.default.contents(atPath: path))
    // Into the last word: what follows it is gone too.
    try bytes.dropLast(60).write(to: URL(filePath: path))
    let second = try await plane(on: first.state, saying: ["All is well."])
    let again = try await follow(chat, try await second.admin())
    #expect(text(again) == text(told))
    #expect(again.last?.ended == told.last?.ended)
    await second.stop()
  }

  @Test func `one at work whose spool is gone is told from the ledger alone`() async throws {
    let first = try await plane(saying: [Self.words], pace: 30)
    _ = try await first.external("a1")
    let admin = try await first.admin()
    let chat = try await start(admin)
    _ = try await follow(chat, admin) { $0.text.text.hasSuffix("3") }
    await first.stop()
    try FileManager.default.removeItem(atPath: first.state.folder.path(of: "chats/\(chat)"))
    let second = try await plane(on: first.state, saying: [Self.words])
    let told = try await follow(chat, try await second.admin())
    #expect(told.first?.prompted.text == "How is it?")
    #expect(text(told) == Self.words)
    #expect(told.last?.ended.state == .completed)
    await second.stop()
  }

  /// As behind a restored backup, which has no spools.
  @Test func `ended ones whose spools are gone are told from the ledger`() async throws {
    let first = try await plane(saying: ["one", "two"])
    _ = try await first.external("a1")
    let admin = try await first.admin()
    let chat = try await start(admin)
    let one = try await follow(chat, admin)
    let sent = try await send("And now?", to: chat, admin)
    let two = try await follow(chat, admin, after: sent.after)
    await first.stop()
    try FileManager.default.removeItem(atPath: first.state.folder.path(of: "chats"))

    let second = try await plane(on: first.state, saying: ["one", "two", "three"])
    let again = try await second.admin()
    let list: Gatehouse_Plane_V1_ListChatsResponse = try await again.ask(
      "/gatehouse.plane.v1.Chats/List",
      Gatehouse_Plane_V1_ListChatsRequest()
    )
    #expect(list.chats.map(\.chatID) == [chat])
    #expect(list.chats.map(\.turns) == [2])
    let told = try await follow(chat, again)
    #expect(
      told.compactMap { $0.prompted.text }.filter { !$0.isEmpty } == ["How is it?", "And now?"]
    )
    #expect(text(told) == text(one) + text(two))
    #expect(told.last?.ended == two.last?.ended)
    let more = try await send("And then?", to: chat, again)
    #expect(more.turn == 3)
    #expect(text(try await follow(chat, again, after: more.after)) == "three")
    await second.stop()
  }

  @Test func `a later turn at work whose spool is gone goes on too`() async throws {
    let first = try await plane(saying: ["one", Self.words], pace: 20)
    _ = try await first.external("a1")
    let admin = try await first.admin()
    let chat = try await start(admin)
    _ = try await follow(chat, admin)
    let sent = try await send("And now?", to: chat, admin)
    _ = try await follow(chat, admin, after: sent.after) { $0.text.text.hasSuffix("3") }
    await first.stop()
    try FileManager.default.removeItem(atPath: first.state.folder.path(of: "chats/\(chat)"))
    let second = try await plane(on: first.state, saying: ["one", Self.words])
    let told = try await follow(chat, try await second.admin())
    #expect(told.first?.prompted.turn == 2)
    #expect(text(told) == Self.words)
    await second.stop()
  }

  private func chats(_ admin: Connection) async throws -> [String] {
    let list: Gatehouse_Plane_V1_ListChatsResponse = try await admin.ask(
      "/gatehouse.plane.v1.Chats/List",
      Gatehouse_Plane_V1_ListChatsRequest()
    )
    return list.chats.map(\.chatID)
  }

  private static let ann = EventPrincipal(
    id: "spiffe://gatehouse.local/user/ann",
    issuerPin: nil,
    keyPin: nil
  )

  /// As when a plane is killed within `audit erase`, behind the key's end.
  @Test func `one whose key is destroyed is told by no later plane`() async throws {
    let first = try await plane(saying: ["All is well."])
    _ = try await first.external("a1")
    let admin = try await first.admin()
    let chat = try await start(admin)
    _ = try await follow(chat, admin)
    await first.stop()
    let ledger = try Ledger(
      in: first.state.folder,
      LedgerOptions(origin: "none") { Int64(ThisProcess.unixMicroseconds) }
    )
    _ = try await ledger.erase("chat/\(chat)", by: Self.ann, rule: "asked for")
    await ledger.close()
    #expect(first.state.folder.exists("chats/\(chat)"))

    let second = try await plane(on: first.state, saying: ["All is well."])
    #expect(try await chats(second.admin()) == [])
    #expect(!first.state.folder.exists("chats/\(chat)"))
    await second.stop()
  }

  @Test func `an erase that was cut off behind the key's end can be finished`() async throws {
    let test = try await plane(saying: ["All is well."])
    _ = try await test.external("a1")
    let admin = try await test.admin()
    let chat = try await start(admin)
    _ = try await follow(chat, admin)
    _ = try await test.plane.parts.recorder.ledger.erase(
      "chat/\(chat)",
      by: Self.ann,
      rule: "asked for"
    )
    let refused = await status {
      let _: Gatehouse_Plane_V1_EraseAuditResponse = try await admin.ask(
        "/gatehouse.plane.v1.Audit/Erase",
        Gatehouse_Plane_V1_EraseAuditRequest.with {
          $0.chat = chat
          $0.rule = "asked for"
        }
      )
    }
    #expect(refused?.code == .notFound)
    #expect(try await chats(admin) == [])
    #expect(!test.state.folder.exists("chats/\(chat)"))
    await test.stop()
  }

  @Test func `a turn that one plane cannot go on with waits for the next`() async throws {
    let first = try await plane(saying: [Self.words], pace: 30)
    _ = try await first.external("a1")
    let admin = try await first.admin()
    let chat = try await start(admin)
    _ = try await follow(chat, admin) { $0.text.text.hasSuffix("3") }
    await first.stop()
    // No model at all.
    let second = try await TestPlane(state: first.state)
    let failed = try await follow(chat, try await second.admin())
    #expect(failed.last?.ended.state == .failed)
    #expect(failed.last?.ended.reason.contains("no model is configured") == true)
    await second.stop()
    let third = try await plane(on: first.state, saying: [Self.words])
    let told = try await follow(chat, try await third.admin())
    #expect(text(told) == Self.words)
    #expect(told.last?.ended.state == .completed)
    await third.stop()
  }

  @Test func `what is said at the very end of a turn finds the chat as it is`() async throws {
    let steps = (1...20).map { "step \($0)" }
    let test = try await plane(saying: steps)
    _ = try await test.external("a1")
    let admin = try await test.admin()
    let chat = try await start(admin)
    #expect(text(try await follow(chat, admin)) == steps[0])
    for step in steps.dropFirst() {
      let sent = try await send("go on", to: chat, admin)
      #expect(text(try await follow(chat, admin, after: sent.after)) == step)
    }
    await test.stop()
  }
}
