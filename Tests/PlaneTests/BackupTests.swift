internal import FoundationEssentials
internal import Glibc
internal import Host
internal import Ledger
internal import Testing
internal import Wire

@testable internal import Plane

@Suite(.timeLimit(.minutes(5))) struct `A backup` {
  private let state: TemporaryState
  private var base: String { state.folder.path + "/.." }
  private var target: String { base + "/backup" }
  private var checkpoints: String { state.folder.path + ".checkpoints" }

  init() throws { state = try TemporaryState() }

  /// A plane that had one workspace when it was backed up, and another behind that.
  private func backedUp() async throws -> BackupManifest {
    let test = try await TestPlane(state: state)
    _ = try await test.external("before")
    let manifest = try make()
    _ = try await test.external("behind")
    await test.stop()
    return manifest
  }

  private func make(_ name: String = "backup") throws -> BackupManifest {
    try Backup(of: state.folder.path, checkpointFile: checkpoints, settingsFile: nil)
      .make(at: "\(base)/\(name)", now: 1_790_000_000, program: "test")
  }

  private func restore(
    to name: String = "restored",
    checkpoints: String? = nil,
    accepting reason: String? = nil
  ) async throws -> Restore.Report {
    var options = Restore.Options(
      state: "\(base)/\(name)",
      checkpointFile: checkpoints ?? self.checkpoints,
      now: ThisProcess.unixTime
    )
    options.acceptingLoss = reason
    return try await Restore(target, options).run()
  }

  private func names() throws -> [String] { try StateFolder(base).names(in: "") }

  /// What a plane on `name` says of its workspaces, and its ledger.
  private func workspaces(of name: String) async throws -> (names: [String], isWhole: Bool) {
    var configuration = TestPlane.configuration(state, daemon: "/bin/false")
    configuration.stateFolder = "\(base)/\(name)"
    configuration.checkpointFile = checkpoints
    let plane = try await Plane(configuration)
    let names = plane.registry.all.map(\.name)
    await plane.stop()
    let report = try LedgerVerifier.verify(
      configuration.stateFolder,
      checkpointFile: checkpoints
    )
    #expect(report.findings == [])
    return (names, report.isClean)
  }

  @Test func `is made while the plane runs, for the account alone`() async throws {
    let manifest = try await backedUp()
    let folder = try StateFolder(target)
    let files = try folder.files()
    for file in ["backup.json", "checkpoints", "state/ledger/events.db", "state/pki/ca.key"] {
      #expect(files.contains(file), "\(file)")
    }
    #expect(!files.contains { $0.contains("index.db") || $0.hasSuffix("lock") })
    // Refuses what others may read.
    for file in files { #expect(try folder.readSecret(file) != nil) }
    #expect(manifest.lastEvent >= 2)
    let vouched = Set(files).subtracting(["backup.json", "state/ledger/events.db"])
    #expect(Set(manifest.files.keys) == vouched)
    #expect(try names().filter { $0.contains("partial") } == [])
  }

  /// Of these there may be gigabytes, and each is the plane's of the moment.
  @Test func `holds no output of calls, and nothing that is told of chats`() async throws {
    let test = try await TestPlane(state: state)
    for file in ["spool/1", "chats/chat_1"] {
      try state.folder.makeFolder(String(file.prefix { $0 != "/" }))
      try state.folder.write([UInt8](repeating: 7, count: 4_096), to: file)
    }
    let manifest = try make()
    await test.stop()
    let names = Set(manifest.files.keys).union(try StateFolder(target).files())
    #expect(names.filter { $0.contains("spool") || $0.contains("chats") } == [])
  }

  @Test func `overwrites nothing`() async throws {
    _ = try await backedUp()
    let before = try StateFolder(target).read("backup.json")
    let error = #expect(throws: PlaneError.self) { try make() }
    #expect(error?.message.contains("overwrites nothing") == true)
    #expect(try StateFolder(target).read("backup.json") == before)
    #expect(throws: PlaneError.self) {
      try Backup(of: base + "/nowhere", checkpointFile: checkpoints, settingsFile: nil)
    }
    #expect(!StateFolder.exists(base + "/nowhere"))
  }

  @Test func `is not made in the state folder, by whatever name`() async throws {
    await (try await TestPlane(state: state)).stop()
    try state.folder.makeFolder("kept")
    let link = "\(base)/link"
    #expect(unsafe symlink(state.folder.path(of: "kept"), link) == 0)
    let before = try state.folder.files()
    for name in ["state", "state/b1", "state/kept/new/b1", "link/b1", "link/../b1"] {
      #expect(throws: PlaneError.self, "\(name)") { try make(name) }
    }
    #expect(try state.folder.files() == before)
    _ = try make()
  }

  @Test func `that was cut off is named at the next one`() async throws {
    #expect(Backup.leftovers(of: target) == [])
    _ = try StateFolder(target + ".partial.1")
    let path = "\(target).partial.\(ThisProcess.id)"
    try StateFolder(path).write([1], to: "master.key")
    #expect(Backup.leftovers(of: target) == [target + ".partial.1", path].sorted())
    Backup.giveUp(target)
    #expect(Backup.leftovers(of: target) == [target + ".partial.1"])
  }

  @Test func `that checkpoints have seen more than is restored on record only`() async throws {
    let manifest = try await backedUp()
    let before = try names()
    let error = await #expect(throws: PlaneError.self) { try await restore() }
    #expect(error?.message.contains("ends with event \(manifest.lastEvent)") == true)
    #expect(error?.message.contains("--accept-loss") == true)
    #expect(try names() == before)
    let report = try await restore(accepting: "the disk died")
    #expect(report.beyond != nil)
    #expect(report.event == manifest.lastEvent + 1)
    #expect(try await workspaces(of: "restored").names == ["before"])
    // A second time, into what is there now.
    await #expect(throws: PlaneError.self) { try await restore(accepting: "again") }
  }

  @Test func `a restore that was cut off at its last step is named, and only to be moved`()
    async throws
  {
    let test = try await TestPlane(state: state)
    _ = try await test.external("before")
    await test.stop()
    _ = try make()
    _ = try await restore()
    let cut = base + "/restored.restoring.1"
    try StateFolder(base + "/restored").move(to: cut)
    let error = await #expect(throws: PlaneError.self) { try await restore() }
    #expect(error?.message.contains("\(cut) is whole") == true)
    try StateFolder(cut).move(to: base + "/restored")
    #expect(try await workspaces(of: "restored").names == ["before"])
  }

  @Test func `without any checkpoints but its own is restored, and they go on`() async throws {
    _ = try await backedUp()
    try state.folder.remove("../state.checkpoints")
    let report = try await restore()
    #expect(report.beyond == nil)
    #expect(report.hasOnlyOwnCheckpoints)
    #expect(try await workspaces(of: "restored").names == ["before"])
  }

  @Test(arguments: ["state/pki/ca.key", "state/workspaces.json", "checkpoints"])
  func `with a file that was changed, or is missing, is refused`(name: String) async throws {
    _ = try await backedUp()
    let folder = try StateFolder(target)
    var bytes = try #require(try folder.read(name))
    bytes.append(0x20)
    try folder.write(bytes, to: name)
    var error = await #expect(throws: PlaneError.self) { try await restore(accepting: "a") }
    #expect(error?.message.contains("\(name) is not as it was made") == true)
    try folder.remove(name)
    error = await #expect(throws: PlaneError.self) { try await restore(accepting: "a") }
    #expect(error?.message.contains("\(name) is missing") == true)
    #expect(try !names().contains { $0.contains("restor") })
  }

  @Test(arguments: ["state/../../taken", "/taken", "state//taken", "state/./taken", "linked/taken"])
  func `that names files elsewhere is refused`(name: String) async throws {
    _ = try await backedUp()
    try FileManager.default.createSymbolicLink(
      atPath: target + "/linked",
      withDestinationPath: base
    )
    let folder = try StateFolder(base)
    try folder.write([1], to: "taken")
    let manifest = try StateFolder(target)
    let json = String(decoding: try #require(try manifest.read("backup.json")), as: UTF8.self)
    let digest = "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"
    let spelled = name.replacing("/", with: "\\/")
    let changed = json.replacing(
      "\"files\" : {",
      with: "\"files\" : {\n\"\(spelled)\" : \"\(digest)\","
    )
    #expect(changed != json)
    try manifest.write(Array(changed.utf8), to: "backup.json")
    let error = await #expect(throws: PlaneError.self) { try await restore(accepting: "a") }
    #expect(error?.message.contains("is no file of a backup") == true)
    #expect(try !names().contains { $0.contains("restor") })
  }

  @Test func `with a ledger that was changed is refused`() async throws {
    _ = try await backedUp()
    let folder = try StateFolder(target)
    let name = "state/ledger/events.db"
    var bytes = try #require(try folder.read(name))
    let text = try #require(bytes.firstRange(of: Array("user/admin".utf8)))
    bytes[text.lowerBound] ^= 1
    try folder.write(bytes, to: name)
    let error = await #expect(throws: PlaneError.self) { try await restore(accepting: "a") }
    #expect(error?.message.contains("is not whole") == true)
    #expect(try !names().contains { $0.contains("restor") })
  }

  @Test func `has a local workspace's own root where the state is now, and no daemon`() async throws
  {
    let test = try await TestPlane(state: state)
    _ = try await test.external("before")
    await test.stop()
    let file = WorkspaceFile(folder: state.folder)
    var records = try file.read().all
    let id = records[0].id
    records[0].local = WorkspaceRecord.Local(
      root: state.folder.path(of: "workspaces/\(id)/root"),
      ownsRoot: true,
      daemon: DetachedProcess(pid: 1, startTime: 2)
    )
    try file.write(WorkspaceTable(records))
    _ = try make()
    _ = try await restore()
    let restored = try StateFolder(base + "/restored")
    let local = try WorkspaceFile(folder: restored).read().all[0].local
    #expect(local?.root.hasSuffix("restored/workspaces/\(id)/root") == true)
    #expect(local?.daemon == nil)
    #expect(restored.exists("workspaces/\(id)/root") && restored.exists("workspaces/\(id)/daemon"))
  }
}

extension StateFolder {
  /// Whether anything is at a path.
  fileprivate static func exists(_ path: String) -> Bool { (try? isVacant(path)) != true }
}
