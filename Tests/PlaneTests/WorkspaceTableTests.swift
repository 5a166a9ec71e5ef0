internal import Host
internal import Identity
internal import Testing

@testable internal import Plane

@Suite struct `The workspace table` {
  private let alice: Principal
  private let impostor: Principal

  init() throws {
    let id = try #require(SPIFFEID(.development, .user, "alice"))
    alice = Principal(id: id, issuerPin: "one", certificatePin: "")
    impostor = Principal(id: id, issuerPin: "two", certificatePin: "")
  }

  private func record(_ id: String, _ name: String, _ owner: Principal) -> WorkspaceRecord {
    WorkspaceRecord(id: id, name: name, owner: WorkspaceRecord.Owner(owner))
  }

  private func code(_ body: () throws -> Void) -> PlaneError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? PlaneError)?.code
    }
  }

  @Test func `an owner finds a workspace by id and by name`() throws {
    var table = WorkspaceTable()
    try table.add(record("ws_1", "a1", alice))
    #expect(try table.find("ws_1", for: alice).id == "ws_1")
    #expect(try table.find("a1", for: alice).id == "ws_1")
  }

  @Test func `the same name from another issuer is someone else`() throws {
    var table = WorkspaceTable()
    try table.add(record("ws_1", "a1", alice))
    #expect(code { _ = try table.find("ws_1", for: impostor) } == .notFound)
    #expect(code { _ = try table.find("a1", for: impostor) } == .notFound)
    try table.add(record("ws_2", "a1", impostor))
    #expect(table.all(of: alice).map(\.id) == ["ws_1"])
  }

  @Test func `a name is unique to its owner`() throws {
    var table = WorkspaceTable()
    try table.add(record("ws_1", "a1", alice))
    #expect(code { try table.add(record("ws_2", "a1", alice)) } == .alreadyExists)
  }

  @Test(arguments: [
    "", "-a", "A", "a_b", "a b", "a/b", "ä", "a\0", String(repeating: "a", count: 64),
  ])
  func `a bad name is refused`(name: String) {
    var table = WorkspaceTable()
    #expect(code { try table.add(record("ws_1", name, alice)) } == .invalidArgument)
  }

  @Test func `the table survives its file`() throws {
    let temporary = try TemporaryState()
    let file = WorkspaceFile(folder: temporary.folder)
    #expect(try file.read() == WorkspaceTable())
    var table = WorkspaceTable()
    var local = record("ws_1", "a1", alice)
    local.local = .init(
      root: "/r",
      ownsRoot: true,
      daemon: DetachedProcess(pid: 7, startTime: 8),
      planeAddress: "localhost:1"
    )
    local.isStopped = true
    try table.add(local)
    try table.add(record("ws_2", "a2", alice))
    try file.write(table)
    #expect(try file.read() == table)
  }

  @Test func `a damaged file is named with the remedy`() throws {
    let temporary = try TemporaryState()
    try temporary.folder.write(Array("{".utf8), to: "workspaces.json")
    #expect {
      try WorkspaceFile(folder: temporary.folder).read()
    } throws: { error in
      "\(error)".hasPrefix("\(temporary.folder.path(of: "workspaces.json")) is damaged; ")
    }
  }
}
