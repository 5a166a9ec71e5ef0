internal import EventLoop
internal import Ledger
internal import RPC
internal import SwiftProtobuf
internal import Testing
internal import Wire

@testable internal import Plane

@Suite(.timeLimit(.minutes(5))) struct `A new join token` {
  private func newToken(_ test: TestPlane, of workspace: String) async throws -> String {
    let response: Gatehouse_Plane_V1_MakeWorkspaceTokenResponse = try await test.admin().ask(
      "/gatehouse.plane.v1.Workspaces/MakeToken",
      Gatehouse_Plane_V1_MakeWorkspaceTokenRequest.with { $0.workspace = workspace }
    )
    #expect(response.enrollAddress == test.plane.addresses.open.description)
    return response.joinToken
  }

  @Test func `a new token takes the place of those that were not used`() async throws {
    let test = try await TestPlane()
    let workspace = try await test.external("a1")
    let second = try await newToken(test, of: "a1")
    let refused = await status { _ = try await test.enroll(workspace.token) }
    #expect(
      refused?.description == "UNAUTHENTICATED: the join token is unknown; ask for a new one"
    )
    _ = try await test.enroll(second)
    // Of a workspace that has a daemon, too: that one may have lost its certificate.
    _ = try await test.enroll(newToken(test, of: workspace.id))
    await test.stop()
  }

  @Test func `a stopped workspace gets no token, nor one that there is not`() async throws {
    let test = try await TestPlane()
    _ = try await test.external("a1")
    let _: Gatehouse_Plane_V1_StopWorkspaceResponse = try await test.admin().ask(
      "/gatehouse.plane.v1.Workspaces/Stop",
      Gatehouse_Plane_V1_StopWorkspaceRequest.with { $0.workspace = "a1" }
    )
    let refused = await status { _ = try await newToken(test, of: "a1") }
    #expect(
      refused?.description
        == "FAILED_PRECONDITION: workspace 'a1' is stopped; run: gatehouse workspace start a1"
    )
    #expect(await status { _ = try await newToken(test, of: "a2") }?.code == .notFound)
    await test.stop()
  }
}

@Suite(.timeLimit(.minutes(5))) struct `A workspace whose making was cut off` {
  private func record(_ name: String, like other: WorkspaceRecord) -> WorkspaceRecord {
    WorkspaceRecord(id: "ws_\(name)", name: name, owner: other.owner)
  }

  @Test func `one that nobody was told of is gone, and one that was used is recorded`()
    async throws
  {
    let test = try await TestPlane()
    let id = try await test.external("a1").id
    let whole = try #require(test.plane.registry.record(id))
    let unused = record("a2", like: whole)
    var used = record("a3", like: whole)
    used.hasLinked = true
    for record in [unused, used] {
      try await test.plane.registry.change { (table) throws(PlaneError) in try table.add(record) }
    }
    let ledger = test.plane.parts.recorder.ledger
    let last = ledger.lastSequence
    await test.plane.parts.workspaces.settle()
    #expect(test.plane.registry.all.map(\.name).sorted() == ["a1", "a3"])
    while ledger.lastSequence == last { await Task.yield() }
    let events = try await ledger.read(from: last + 1, limit: 10)
    #expect(events.map(\.header.kind) == [.workspaceCreated])
    #expect(events.map(\.header.workspace) == [used.id])
    // Once.
    await test.plane.parts.workspaces.settle()
    #expect(ledger.lastSequence == last + 1)
    await test.stop()
  }
}
