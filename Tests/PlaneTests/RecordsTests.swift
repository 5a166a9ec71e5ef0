internal import FoundationEssentials
internal import Host
internal import Ledger
internal import Providers
internal import RPC
internal import SwiftProtobuf
internal import Testing
internal import Wire

@testable internal import Plane

@Suite(.timeLimit(.minutes(5))) struct `What the plane keeps` {
  private static let transcript = """
    {"name": "script", "steps": [{"text": "All is well."}]}
    """

  /// All events of a plane that has stopped.
  private func events(_ test: TestPlane) async throws -> [LedgerEvent] {
    let ledger = try Ledger(in: test.state.folder, LedgerOptions(origin: "none") { 0 })
    let events = try await ledger.read(from: 1, limit: 1_000)
    await ledger.close()
    return events
  }

  private func body(_ event: LedgerEvent) throws -> Gatehouse_Ledger_V1_Body {
    guard case .bytes(let bytes) = event.body else { throw RPCStatus(.dataLoss, "no body") }
    return try Gatehouse_Ledger_V1_Body(serializedBytes: bytes)
  }

  @Test func `a life from start to stop is whole, and vouched for outside`() async throws {
    var models = PlaneModels()
    models.transcript = try Transcript(parsing: Self.transcript)
    let test = try await TestPlane(models: models)
    let workspace = try await test.external("a1")
    _ = try await test.enroll(workspace.token)
    let admin = try await test.admin()
    let chat: Gatehouse_Plane_V1_StartChatResponse = try await admin.ask(
      "/gatehouse.plane.v1.Chats/Start",
      Gatehouse_Plane_V1_StartChatRequest.with {
        $0.workspace = "a1"
        $0.prompt = "How is it?"
      }
    )
    let follow = try await admin.openStream("/gatehouse.plane.v1.Chats/Follow")
    try await follow.send(
      Gatehouse_Plane_V1_FollowChatRequest.with { $0.chatID = chat.chatID }.serializedBytes()
    )
    await follow.halfClose()
    while try await follow.next() != nil {}
    await test.stop()

    let report = try LedgerVerifier.verify(
      test.state.folder.path,
      checkpointFile: test.state.folder.path + ".checkpoints"
    )
    #expect(report.findings == [])
    #expect(report.uncovered == 0)
    let events = try await events(test)
    #expect(
      events.map(\.header.kind.name) == [
        "ledger.begun", "plane.started", "workspace.created", "identity.token_made",
        "identity.enrolled", "chat.started", "chat.prompted", "step.begun", "model.answered",
        "chat.ended", "plane.stopped",
      ]
    )
    #expect(events[2].header.principal?.id == "spiffe://gatehouse.local/user/admin")
    #expect(events[2].header.principal?.issuerPin != nil)
    #expect(events[2].header.workspace == workspace.id)
    #expect(try body(events[2]).workspaceCreated.name == "a1")
    #expect(try body(events[6]).chatPrompted.prompt == "How is it?")
    #expect(try body(events[8]).modelAnswered.text == "All is well.")
    // Each comes from the one before, done by the plane for its owner.
    #expect(events[7].header.cause == 7)
    #expect(events[8].header.cause == 8)
    #expect(events[8].header.principal?.id == "spiffe://gatehouse.local/plane/main")
    #expect(events[8].header.onBehalfOf?.id == "spiffe://gatehouse.local/user/admin")
    #expect(Set(events[5...9].map(\.header.chat)) == [chat.chatID])
  }

  @Test func `who is turned away is kept, at most so many a second`() async throws {
    let test = try await TestPlane()
    let began = ContinuousClock.now
    for _ in 0..<100 {
      await #expect(throws: RPCStatus.self) { _ = try await test.enroll("ghj_none") }
    }
    let seconds = Int((ContinuousClock.now - began).components.seconds)
    await test.stop()
    let refused = try await events(test).filter { $0.header.kind == .refused }
    // The first second and the last count as whole ones.
    #expect(!refused.isEmpty && refused.count <= 20 * (seconds + 2))
    let first = try body(try #require(refused.first)).refused
    #expect(first.code == "UNAUTHENTICATED")
    #expect(first.reason == "the join token is unknown; ask for a new one")
  }

  @Test func `a workspace that could not be made says so`() async throws {
    let test = try await TestPlane(daemon: "/bin/false")
    let admin = try await test.admin()
    await #expect(throws: RPCStatus.self) {
      let _: Gatehouse_Plane_V1_CreateWorkspaceResponse = try await admin.ask(
        "/gatehouse.plane.v1.Workspaces/Create",
        Gatehouse_Plane_V1_CreateWorkspaceRequest.with {
          $0.name = "a1"
          $0.local = .init()
        }
      )
    }
    await test.stop()
    let events = try await events(test)
    let kinds = events.map(\.header.kind.name)
    #expect(kinds.contains("workspace.created"))
    let last = try #require(events.last { $0.header.kind == .workspaceDeleted })
    #expect(try body(last).workspaceDeleted.reason.hasPrefix("not made: ") == true)
  }

  @Test func `a call's end counts with all that it holds`() {
    let exit = Gatehouse_Tools_V1_Exit.with { $0.response = Data(count: 100_000) }
    #expect(LedgerJournal.bytes(of: Gatehouse_Tools_V1_Exit(), nil) == 1_024)
    let effects = Gatehouse_Tools_V1_Effects.with {
      $0.files = [
        .with {
          $0.before.text = Data(count: 20_000)
          $0.after.text = Data(count: 30_000)
          $0.diff = String(repeating: "+", count: 40_000)
        }
      ]
    }
    #expect((190_000...195_000).contains(LedgerJournal.bytes(of: exit, effects)))
  }

  @Test func `a plane goes on where the last one stopped`() async throws {
    let first = try await TestPlane()
    await first.stop()
    let second = try await TestPlane(state: first.state)
    await second.stop()
    #expect(
      try await events(second).map(\.header.kind.name) == [
        "ledger.begun", "plane.started", "plane.stopped", "plane.started", "plane.stopped",
      ]
    )
  }
}
