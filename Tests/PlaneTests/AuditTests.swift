internal import Crypto
internal import FoundationEssentials
internal import Host
internal import Identity
internal import Providers
internal import RPC
internal import SwiftProtobuf
internal import Testing
internal import Wire

@testable internal import Ledger
@testable internal import Plane

@Suite(.timeLimit(.minutes(5))) struct `The audit over the wire` {
  private func search(
    _ connection: Connection,
    _ change: (inout Gatehouse_Plane_V1_SearchAuditRequest) -> Void = { _ in }
  ) async throws -> [Gatehouse_Plane_V1_AuditEvent] {
    let stream = try await connection.openStream("/gatehouse.plane.v1.Audit/Search")
    var request = Gatehouse_Plane_V1_SearchAuditRequest()
    change(&request)
    try await stream.send(request.serializedBytes())
    await stream.halfClose()
    var events: [Gatehouse_Plane_V1_AuditEvent] = []
    while let message = try await stream.next() {
      events.append(try Gatehouse_Plane_V1_AuditEvent(serializedBytes: message))
    }
    return events
  }

  @Test func `a chat is erased by who may, with the rule, once it has ended`() async throws {
    var models = PlaneModels()
    models.transcript = try .init(parsing: #"{"steps": [{"text": "All is well."}]}"#)
    let test = try await TestPlane(models: models)
    _ = try await test.enroll(test.external("a1").token)
    let admin = try await test.admin()
    let chat: Gatehouse_Plane_V1_StartChatResponse = try await admin.ask(
      "/gatehouse.plane.v1.Chats/Start",
      Gatehouse_Plane_V1_StartChatRequest.with {
        $0.workspace = "a1"
        $0.prompt = "a secret"
      }
    )
    let follow = try await admin.openStream("/gatehouse.plane.v1.Chats/Follow")
    try await follow.send(
      Gatehouse_Plane_V1_FollowChatRequest.with { $0.chatID = chat.chatID }.serializedBytes()
    )
    await follow.halfClose()
    while try await follow.next() != nil {}
    func erase(_ id: String, _ rule: String) async throws -> UInt64 {
      let answer: Gatehouse_Plane_V1_EraseAuditResponse = try await admin.ask(
        "/gatehouse.plane.v1.Audit/Erase",
        Gatehouse_Plane_V1_EraseAuditRequest.with {
          $0.chat = id
          $0.rule = rule
        }
      )
      return answer.sequence
    }
    let refused = await #expect(throws: RPCStatus.self) { _ = try await erase(chat.chatID, "") }
    #expect(refused?.code == .invalidArgument)
    let unknown = await #expect(throws: RPCStatus.self) { _ = try await erase("chat_x", "r") }
    #expect(unknown?.code == .notFound)
    let sequence = try await erase(chat.chatID, "asked for")
    let events = try await search(admin) { $0.chat = chat.chatID }
    #expect(events.last?.header.sequence == sequence)
    #expect(events.last?.body.bodiesErased.rule == "asked for")
    #expect(events.dropLast().allSatisfy { $0.bodyState == .erased })
    // Nor does the plane tell it to who follows.
    #expect(
      !FileManager.default.fileExists(atPath: test.state.folder.path(of: "chats/\(chat.chatID)"))
    )
    let list: Gatehouse_Plane_V1_ListChatsResponse = try await admin.ask(
      "/gatehouse.plane.v1.Chats/List",
      Gatehouse_Plane_V1_ListChatsRequest()
    )
    #expect(list.chats.isEmpty)
    // Nor is it to be had from whoever showed it to followers.
    let gone = try await admin.openStream("/gatehouse.plane.v1.Chats/Follow")
    try await gone.send(
      Gatehouse_Plane_V1_FollowChatRequest.with { $0.chatID = chat.chatID }.serializedBytes()
    )
    await gone.halfClose()
    let shown = await #expect(throws: RPCStatus.self) { while try await gone.next() != nil {} }
    #expect(shown?.code == .notFound)
    let again = await #expect(throws: RPCStatus.self) { _ = try await erase(chat.chatID, "again") }
    #expect(again?.code == .notFound)
    let rebuilt: Gatehouse_Plane_V1_RebuildAuditResponse = try await admin.ask(
      "/gatehouse.plane.v1.Audit/Rebuild",
      Gatehouse_Plane_V1_RebuildAuditRequest()
    )
    #expect(rebuilt.events >= sequence)
    await test.stop()
  }

  @Test func `events are found by what is asked`() async throws {
    let test = try await TestPlane()
    let one = try await test.external("a1")
    _ = try await test.external("a2")
    let admin = try await test.admin()
    let all = try await search(admin)
    #expect(
      all.map(\.kind) == [
        "ledger.begun", "plane.started", "workspace.created", "identity.token_made",
        "workspace.created", "identity.token_made",
      ]
    )
    #expect(all.map(\.header.sequence) == [1, 2, 3, 4, 5, 6])
    #expect(all[2].body.workspaceCreated.name == "a1")
    #expect(try await search(admin) { $0.workspace = one.id }.map(\.header.sequence) == [3, 4])
    #expect(try await search(admin) { $0.workspace = "a1" }.map(\.header.sequence) == [3, 4])
    for unknown in ["a3", "ws_none"] {
      let error = await #expect(throws: RPCStatus.self) {
        try await search(admin) { $0.workspace = unknown }
      }
      #expect(error?.code == .notFound)
      #expect(error?.message.contains("no workspace '\(unknown)'") == true)
    }
    #expect(try await search(admin) { $0.kinds = ["workspace"] }.count == 2)
    #expect(try await search(admin) { $0.last = 1 }.map(\.header.sequence) == [6])
    #expect(try await search(admin) { $0.fromSequence = 6 }.map(\.header.sequence) == [6])
    let admins = try await search(admin) { $0.principal = "admin" }
    #expect(admins.map(\.header.sequence) == [3, 4, 5, 6])
    #expect(try await search(admin) { $0.principal = "nobody" }.isEmpty)
    let now = all[5].header.timeUnixUs
    #expect(try await search(admin) { $0.sinceUnixUs = now }.map(\.header.sequence) == [6])
    #expect(try await search(admin) { $0.untilUnixUs = now - 1 }.count < 6)
    let bare = try await search(admin) { $0.withoutBodies = true }
    #expect(bare.allSatisfy { !$0.hasBody && $0.bodyState == .leftOut })
    let error = await #expect(throws: RPCStatus.self) {
      try await search(admin) { $0.kinds = ["x"] }
    }
    #expect(error?.code == .invalidArgument)
    let many = await #expect(throws: RPCStatus.self) {
      try await search(admin) { $0.kinds = [String](repeating: "call", count: 65) }
    }
    #expect(many?.message == "at most 64 kinds of events can be asked for")
    let tooMany = await #expect(throws: RPCStatus.self) {
      try await search(admin) { $0.last = 100_001 }
    }
    #expect(tooMany?.code == .invalidArgument)
    await test.stop()
  }

  /// A client takes a message of 1 MiB.
  @Test func `how it came to a large call is told without what is large of it`() async throws {
    let test = try await TestPlane()
    let ledger = test.plane.parts.recorder.ledger
    let large = Data(repeating: 7, count: 600 << 10)
    func append(_ kind: EventKind, _ body: Gatehouse_Ledger_V1_Body) async throws {
      var header = EventHeader(kind)
      header.call = "call_large"
      _ = try await ledger.append(
        EventDraft(header, scope: .plane, body: try body.serializedBytes())
      )
    }
    try await append(
      .callIntended,
      .with {
        $0.callIntended.tool = "files.write"
        $0.callIntended.request = large
      }
    )
    try await append(
      .callEnded,
      .with {
        $0.callEnded.exit.code = 3
        $0.callEnded.exit.response = large
      }
    )
    let why: Gatehouse_Plane_V1_WhyResponse = try await test.admin().ask(
      "/gatehouse.plane.v1.Audit/Why",
      Gatehouse_Plane_V1_WhyRequest.with { $0.subject = "call_large" }
    )
    #expect(why.events.map(\.kind) == ["call.intended", "call.ended"])
    #expect(why.events.map(\.bodyState) == [.leftOut, .leftOut])
    #expect(why.events[0].body.callIntended.tool == "files.write")
    #expect(why.events[1].body.callEnded.exit.code == 3)
    await test.stop()
  }

  @Test func `header bytes are those that the tree hashes`() async throws {
    let test = try await TestPlane()
    let admin = try await test.admin()
    let events = try await search(admin)
    for event in events {
      let header = try EventHeader(canonical: Array(event.headerBytes))
      #expect(header.sequence == event.header.sequence)
      // The message of Proto/ reads them too.
      #expect(try Gatehouse_Ledger_V1_Header(serializedBytes: event.headerBytes) == event.header)
    }
    await test.stop()
  }

  @Test func `who follows is told of what comes`() async throws {
    let test = try await TestPlane()
    let admin = try await test.admin()
    let stream = try await admin.openStream("/gatehouse.plane.v1.Audit/Search")
    let request = Gatehouse_Plane_V1_SearchAuditRequest.with {
      $0.kinds = ["workspace.created"]
      $0.follow = true
    }
    try await stream.send(request.serializedBytes())
    await stream.halfClose()
    _ = try await test.external("a1")
    let message = try #require(try await stream.next())
    let event = try Gatehouse_Plane_V1_AuditEvent(serializedBytes: message)
    #expect(event.body.workspaceCreated.name == "a1")
    await test.stop()
  }

  @Test func `a whole ledger is said to be`() async throws {
    let test = try await TestPlane()
    let admin = try await test.admin()
    let stream = try await admin.openStream("/gatehouse.plane.v1.Audit/Verify")
    try await stream.send(Gatehouse_Plane_V1_VerifyAuditRequest().serializedBytes())
    await stream.halfClose()
    var report = Gatehouse_Plane_V1_VerifyAuditResponse.Report()
    while let message = try await stream.next() {
      report = try Gatehouse_Plane_V1_VerifyAuditResponse(serializedBytes: message).report
    }
    #expect(report.findings.isEmpty)
    #expect(report.events == 2)
    #expect(report.checkpointFile == test.state.folder.path + ".checkpoints")
    await test.stop()
  }

  @Test func `what is not there is not found`() async throws {
    let test = try await TestPlane()
    let admin = try await test.admin()
    for subject in ["call_none", "src/none"] {
      let error = await #expect(throws: RPCStatus.self) {
        let _: Gatehouse_Plane_V1_WhyResponse = try await admin.ask(
          "/gatehouse.plane.v1.Audit/Why",
          Gatehouse_Plane_V1_WhyRequest.with { $0.subject = subject }
        )
      }
      #expect(error?.code == .notFound)
      #expect(error?.message.contains("destination") == false)
    }
    // A place in the network has no answer yet, which is not the same as that nobody went there.
    for subject in ["https://example.com/x", "example.com:443", "[::1]:443", "example.com"] {
      let error = await #expect(throws: RPCStatus.self) {
        let _: Gatehouse_Plane_V1_WhyResponse = try await admin.ask(
          "/gatehouse.plane.v1.Audit/Why",
          Gatehouse_Plane_V1_WhyRequest.with { $0.subject = subject }
        )
      }
      // What may as well be a file's name was looked for as one.
      #expect(error?.code == (subject == "example.com" ? .notFound : .failedPrecondition))
      #expect(error?.message.contains("do not pass through the plane so far") == true)
    }
    let error = await #expect(throws: RPCStatus.self) {
      let _: Gatehouse_Plane_V1_AuditEvent = try await admin.ask(
        "/gatehouse.plane.v1.Audit/Show",
        Gatehouse_Plane_V1_ShowAuditRequest.with { $0.sequence = 99 }
      )
    }
    #expect(error?.code == .notFound)
    await test.stop()
  }
}

@Suite struct `Who sees what of the ledger` {
  private func principal(_ name: String, issuer: UInt8 = 1, groups: Set<String> = []) throws
    -> Principal
  {
    Principal(
      id: try #require(SPIFFEID(.development, .user, name)),
      issuerPin: "sha256//" + Base64.encode([UInt8](repeating: issuer, count: 32)),
      certificatePin: "sha256//" + Base64.encode([UInt8](repeating: 9, count: 32)),
      groups: groups
    )
  }

  @Test func `oneself, what is done for one, and auditors all`() throws {
    let ann = try principal("ann")
    var own = EventHeader(.callIntended)
    own.principal = EventPrincipal(ann)
    var forAnn = EventHeader(.modelAnswered)
    forAnn.principal = EventPrincipal(id: "plane", issuerPin: nil, keyPin: nil)
    forAnn.onBehalfOf = EventPrincipal(ann)
    let other = EventHeader(.planeStarted)
    func sees(_ who: Principal) -> [Bool] {
      let viewer = AuditViewer(who, trustDomain: .development)
      return [own, forAnn, other].map { viewer.maySee($0) }
    }
    #expect(sees(ann) == [true, true, false])
    #expect(sees(try principal("bob")) == [false, false, false])
    // The same name from another issuer.
    #expect(sees(try principal("ann", issuer: 2)) == [false, false, false])
    #expect(sees(try principal("bob", groups: ["auditors"])) == [true, true, true])
    #expect(sees(try principal("admin")) == [true, true, true])
  }
}
