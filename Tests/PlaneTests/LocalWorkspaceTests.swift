internal import Broker
internal import EventLoop
internal import FoundationEssentials
internal import Host
internal import RPC
internal import Sandbox
internal import SwiftProtobuf
internal import Testing
internal import Wire

@testable internal import Plane

/// With the built daemon, as a process of its own.
@Suite(.timeLimit(.minutes(2))) struct `Local workspaces` {
  private func daemon() throws -> String { try ThisProcess.sibling("gatehouse-toold") }

  private func create(
    _ admin: Connection,
    root: String = ""
  ) async throws -> Gatehouse_Plane_V1_Workspace {
    let response: Gatehouse_Plane_V1_CreateWorkspaceResponse = try await admin.ask(
      "/gatehouse.plane.v1.Workspaces/Create",
      Gatehouse_Plane_V1_CreateWorkspaceRequest.with {
        $0.name = "a1"
        $0.local.root = root
      }
    )
    return response.workspace
  }

  private func only(_ admin: Connection) async throws -> Gatehouse_Plane_V1_Workspace {
    let list: Gatehouse_Plane_V1_ListWorkspacesResponse = try await admin.ask(
      "/gatehouse.plane.v1.Workspaces/List",
      Gatehouse_Plane_V1_ListWorkspacesRequest()
    )
    return try #require(list.workspaces.first)
  }

  /// What a script writes to stdout in the workspace, and how it ended.
  private func run(
    _ script: String,
    _ connection: Connection
  ) async throws -> (output: String, exit: Gatehouse_Tools_V1_Exit) {
    try await finish(start(script, connection))
  }

  private func start(_ script: String, _ connection: Connection) async throws -> ClientStream {
    let stream = try await connection.openStream("/gatehouse.tools.v1.Tools/Invoke")
    let request = try Gatehouse_Tools_V1_ShellRequest.with { $0.script = script }.serializedData()
    try await stream.send(
      Gatehouse_Tools_V1_InvokeRequest.with {
        $0.start.workspace = "a1"
        $0.start.tool = "process.shell"
        $0.start.request = request
        $0.start.timeoutMs = 20_000
      }.serializedBytes()
    )
    return stream
  }

  /// The first bytes of a call's output.
  private func read(_ call: ClientStream, untilCount count: Int) async throws -> String {
    var output: [UInt8] = []
    while output.count < count, let message = try await call.next() {
      output += try Gatehouse_Tools_V1_InvokeResponse(serializedBytes: message).chunk.data
    }
    return String(decoding: output, as: UTF8.self)
  }

  /// The rest of a call's output, and its end.
  private func finish(
    _ stream: ClientStream
  ) async throws -> (output: String, exit: Gatehouse_Tools_V1_Exit) {
    var output: [UInt8] = []
    var exit = Gatehouse_Tools_V1_Exit()
    while let message = try await stream.next() {
      let response = try Gatehouse_Tools_V1_InvokeResponse(serializedBytes: message)
      switch response.message {
      case .chunk(let chunk): output += Array(chunk.data)
      case .exit(let end): exit = end
      default: break
      }
    }
    return (String(decoding: output, as: UTF8.self), exit)
  }

  @Test func `a new one is linked, has tools, and runs a command`() async throws {
    let test = try await TestPlane(daemon: daemon())
    let admin = try await test.admin()
    let workspace = try await create(admin)
    #expect(workspace.state == .linked)
    #expect(workspace.local)
    #expect(workspace.tools.contains("process.shell"))
    #expect(workspace.daemonVersion.hasPrefix("gatehouse-toold/"))
    let result = try await run("pwd; exit 3", admin)
    #expect(result.output == workspace.root + "\n")
    #expect(result.exit.outcome == .exited)
    #expect(result.exit.code == 3)
    try await delete(admin)
    #expect(!ThisProcess.isFolder(workspace.root))
    await test.stop()
  }

  @Test func `a daemon's program that is not there is named, with the remedy`() async throws {
    let test = try await TestPlane(daemon: "/none/gatehouse-toold")
    let admin = try await test.admin()
    let refused = await status { _ = try await create(admin) }
    #expect(refused?.code == .failedPrecondition)
    #expect(
      refused?.message == "cannot start /none/gatehouse-toold: No such file or directory; "
        + "put it beside gatehouse or set daemon.program"
    )
    await test.stop()
  }

  @Test func `a root that became a link is refused, and its target left alone`() async throws {
    let test = try await TestPlane(daemon: daemon())
    let admin = try await test.admin()
    let base = test.state.folder.path + "/.."
    let files = FileManager.default
    for name in ["app", "else"] {
      try files.createDirectory(atPath: "\(base)/\(name)", withIntermediateDirectories: false)
    }
    _ = try await create(admin, root: "\(base)/app")
    let _: Gatehouse_Plane_V1_StopWorkspaceResponse = try await admin.ask(
      "/gatehouse.plane.v1.Workspaces/Stop",
      Gatehouse_Plane_V1_StopWorkspaceRequest.with { $0.workspace = "a1" }
    )
    try files.removeItem(atPath: "\(base)/app")
    try files.createSymbolicLink(atPath: "\(base)/app", withDestinationPath: "\(base)/else")
    let refused = await status {
      let _: Gatehouse_Plane_V1_StartWorkspaceResponse = try await admin.ask(
        "/gatehouse.plane.v1.Workspaces/Start",
        Gatehouse_Plane_V1_StartWorkspaceRequest.with { $0.workspace = "a1" }
      )
    }
    #expect(refused?.code == .failedPrecondition)
    #expect(refused?.message.contains("a symbolic link is in its place") == true)
    await test.stop()
  }

  @Test func `its daemon looks for a plane that starts again every two seconds`() async throws {
    let test = try await TestPlane(daemon: daemon())
    let admin = try await test.admin()
    let workspace = try await create(admin)
    let process = try #require(test.plane.registry.record(workspace.id)?.local?.daemon)
    let words = try #require(FileManager.default.contents(atPath: "/proc/\(process.pid)/cmdline"))
      .split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    let option = try #require(words.firstIndex(of: "--redial-within"))
    #expect(words[option + 1] == "2")
    try await delete(admin)
    await test.stop()
  }

  @Test func `a call is seen in the metrics and on its link`() async throws {
    let test = try await TestPlane(daemon: daemon())
    let admin = try await test.admin()
    let workspace = try await create(admin)
    let ended = "gatehouse_calls_ended_total{outcome=\"exited\"}"
    #expect(try await test.metric(ended) == 0)
    #expect(try await test.metric("gatehouse_links") == 1)
    _ = try await run("printf 12345", admin)
    #expect(try await test.metric(ended) == 1)
    #expect(try await test.metric("gatehouse_calls_accepted_total") == 1)
    #expect(try await test.metric("gatehouse_call_output_bytes_total") == 5)
    #expect(try await test.metric("gatehouse_call_duration_seconds_count") == 1)
    #expect(try await test.metric("gatehouse_calls{state=\"running\"}") == 0)
    #expect(try await test.metric("gatehouse_connections{listener=\"mutual\"}") ?? 0 >= 2)
    #expect(try await test.metric("gatehouse_enrollments_total") == 1)
    #expect(try await test.metric("gatehouse_loop_turn_duration_seconds_count") ?? 0 > 10)
    #expect(try await test.metric("process_resident_memory_bytes") ?? 0 > 1_000_000)
    if let heap = Heap.statistics {
      #expect(
        try await test.metric("gatehouse_heap_allocated_bytes") ?? 0 > Double(heap.allocated) / 2
      )
    }
    #expect(try await test.metric("process_open_fds") ?? 0 > 3)
    #expect(try await test.metric("process_start_time_seconds") ?? 0 > 1_600_000_000)
    try await expectLink(of: workspace, admin)
    try await delete(admin)
    #expect(try await test.metric("gatehouse_links") == 0)
    await test.stop()
  }

  private func expectLink(
    of workspace: Gatehouse_Plane_V1_Workspace,
    _ admin: Connection
  ) async throws {
    let shown: Gatehouse_Plane_V1_ShowLinkResponse = try await admin.ask(
      "/gatehouse.plane.v1.Links/Show",
      Gatehouse_Plane_V1_ShowLinkRequest.with { $0.workspace = "a1" }
    )
    #expect(shown.link.workspaceID == workspace.id)
    #expect(shown.link.instanceID.count == 16)
    #expect(shown.link.endedCalls == 1)
    #expect(shown.link.outputBytes == 5)
    #expect(shown.link.tools.contains("process.shell"))
    #expect(shown.link.certificateExpiresUnixUs > shown.link.sinceUnixUs)
    let list: Gatehouse_Plane_V1_ListLinksResponse = try await admin.ask(
      "/gatehouse.plane.v1.Links/List",
      Gatehouse_Plane_V1_ListLinksRequest()
    )
    #expect(list.links.map(\.workspaceName) == ["a1"])
  }

  private func delete(_ admin: Connection) async throws {
    let _: Gatehouse_Plane_V1_DeleteWorkspaceResponse = try await admin.ask(
      "/gatehouse.plane.v1.Workspaces/Delete",
      Gatehouse_Plane_V1_DeleteWorkspaceRequest.with { $0.workspace = "a1" }
    )
  }

  @Test func `stopping ends the daemon, starting links it again`() async throws {
    let test = try await TestPlane(daemon: daemon())
    let admin = try await test.admin()
    let id = try await create(admin).id
    let first = try #require(test.plane.registry.record(id)?.local?.daemon)
    let stopped: Gatehouse_Plane_V1_StopWorkspaceResponse = try await admin.ask(
      "/gatehouse.plane.v1.Workspaces/Stop",
      Gatehouse_Plane_V1_StopWorkspaceRequest.with { $0.workspace = "a1" }
    )
    #expect(stopped.workspace.state == .stopped)
    #expect(!first.isRunning)
    let started: Gatehouse_Plane_V1_StartWorkspaceResponse = try await admin.ask(
      "/gatehouse.plane.v1.Workspaces/Start",
      Gatehouse_Plane_V1_StartWorkspaceRequest.with { $0.workspace = "a1" }
    )
    #expect(started.workspace.state == .linked)
    #expect(try await run("echo again", admin).output == "again\n")
    try await delete(admin)
    await test.stop()
  }

  @Test func `a daemon that dies is started again, and its call goes on`() async throws {
    let test = try await TestPlane(daemon: daemon())
    let admin = try await test.admin()
    let id = try await create(admin).id
    let first = try #require(test.plane.registry.record(id)?.local?.daemon)
    let call = try await start("echo one; until [ -e go ]; do sleep 0.05; done; echo two", admin)
    // It runs: its first line is here.
    var output = try await read(call, untilCount: 4)
    let broker = test.plane.parts.broker
    first.kill()
    #expect(await broker.waitForLink(of: id, toBe: false, within: .seconds(20)))
    #expect(await broker.waitForLink(of: id, within: .seconds(20)))
    let second = try #require(test.plane.registry.record(id)?.local?.daemon)
    #expect(second != first)
    #expect(second.isRunning)
    #expect(try await run("touch go", admin).exit.code == 0)
    let rest = try await finish(call)
    output += rest.output
    #expect(output == "one\ntwo\n")
    #expect(rest.exit.outcome == .exited)
    try await delete(admin)
    #expect(!second.isRunning)
    await test.stop()
  }

  /// A plane that is killed right behind the start of a daemon has not written down which it is.
  @Test func `a daemon that nobody wrote down is ended, and its place taken`() async throws {
    let test = try await TestPlane(daemon: daemon())
    let admin = try await test.admin()
    let id = try await create(admin).id
    let stray = try #require(test.plane.registry.record(id)?.local?.daemon)
    try await test.plane.registry.update(id) { $0.local?.daemon = nil }
    let _: Gatehouse_Plane_V1_StopWorkspaceResponse = try await admin.ask(
      "/gatehouse.plane.v1.Workspaces/Stop",
      Gatehouse_Plane_V1_StopWorkspaceRequest.with { $0.workspace = "a1" }
    )
    #expect(!stray.isRunning)
    let started: Gatehouse_Plane_V1_StartWorkspaceResponse = try await admin.ask(
      "/gatehouse.plane.v1.Workspaces/Start",
      Gatehouse_Plane_V1_StartWorkspaceRequest.with { $0.workspace = "a1" }
    )
    #expect(started.workspace.state == .linked)
    let second = try #require(test.plane.registry.record(id)?.local?.daemon)
    try await test.plane.registry.update(id) { $0.local?.daemon = nil }
    try await delete(admin)
    #expect(!second.isRunning)
    await test.stop()
  }

  @Test func `a daemon that cannot start is quoted`() async throws {
    let script = try TemporaryState()
    let text = "#!/bin/sh\necho starting\necho 'the disk is on fire' >&2\nexit 1\n"
    try script.folder.write(Array(text.utf8), to: "daemon", mode: 0o700)
    let test = try await TestPlane(daemon: script.folder.path(of: "daemon"))
    let admin = try await test.admin()
    let refused = await status { _ = try await create(admin) }
    #expect(
      refused?.message == "the daemon of workspace 'a1' ended at once; it says: the disk is on fire"
    )
    await test.stop()
  }

  @Test func `stopping a workspace elsewhere ends its calls`() async throws {
    let test = try await TestPlane()
    let admin = try await test.admin()
    let workspace = try await test.external("a1")
    let elsewhere = try TemporaryState()
    try elsewhere.folder.makeFolder("root")
    try elsewhere.folder.write(Array(workspace.token.utf8), to: "token")
    let process = try DetachedProcess.start(
      daemon(),
      [
        "--state", elsewhere.folder.path(of: "state"), "--root", elsewhere.folder.path(of: "root"),
        "--ca", test.state.folder.path(of: "client/ca.pem"),
        "--enroll-address", "\(test.plane.addresses.open)",
        "--token-file", elsewhere.folder.path(of: "token"),
      ],
      environment: ["PATH=/usr/bin:/bin"],
      log: elsewhere.folder.path(of: "log")
    )
    defer { process.kill() }
    #expect(await test.plane.parts.broker.waitForLink(of: workspace.id, within: .seconds(20)))
    let call = try await start("echo on; sleep 60; echo done > file", admin)
    _ = try await read(call, untilCount: 3)
    let stopped: Gatehouse_Plane_V1_StopWorkspaceResponse = try await admin.ask(
      "/gatehouse.plane.v1.Workspaces/Stop",
      Gatehouse_Plane_V1_StopWorkspaceRequest.with { $0.workspace = "a1" }
    )
    #expect(stopped.workspace.state == .stopped)
    let end = try await finish(call)
    #expect(end.exit.outcome == .cancelled)
    #expect(end.exit.treeGone)
    #expect(!elsewhere.folder.exists("root/file"))
    let late = await status { _ = try await run("true", admin) }
    #expect(
      late?.message == "workspace 'a1' is stopped; run: gatehouse workspace start a1"
    )
    await test.stop()
  }

  @Test func `a root that was there stays when the workspace is deleted`() async throws {
    let test = try await TestPlane(daemon: daemon())
    let admin = try await test.admin()
    let own = try TemporaryState()
    try own.folder.write(Array("kept".utf8), to: "file")
    #expect(try await create(admin, root: own.folder.path).root == own.folder.path)
    #expect(try await run("cat file", admin).output == "kept")
    try await delete(admin)
    #expect(own.folder.exists("file"))
    await test.stop()
  }

  @Test func `a root that shows the plane's state is refused, with a remedy`() async throws {
    let test = try await TestPlane(daemon: daemon())
    let admin = try await test.admin()
    let state = test.state.folder.path
    let parent = "/" + state.split(separator: "/").dropLast().joined(separator: "/")
    for root in ["/", state, state + "/client", parent] {
      let status = await #expect(throws: RPCStatus.self) { _ = try await create(admin, root: root) }
      #expect(status?.code == .invalidArgument, "\(root)")
      #expect(status?.message.contains("the root '\(root)'") == true, "\(status?.message ?? "")")
      #expect(status?.message.contains("; name a") == true)
    }
    await test.stop()
  }

  @Test func `a daemon outlives the plane and finds the next one`() async throws {
    let first = try await TestPlane(daemon: daemon())
    let id = try await create(first.admin()).id
    let process = try #require(first.plane.registry.record(id)?.local?.daemon)
    let addresses = first.plane.addresses
    await first.stop()
    #expect(process.isRunning)
    let second = try await TestPlane(daemon: daemon(), state: first.state, at: addresses)
    let admin = try await second.admin()
    let end = ContinuousClock.now + .seconds(40)
    while try await only(admin).state != .linked, ContinuousClock.now < end {
      await Task.yield()
    }
    #expect(second.plane.registry.record(id)?.local?.daemon == process)
    #expect(try await run("echo still here", admin).output == "still here\n")
    try await delete(admin)
    #expect(!process.isRunning)
    await second.stop()
  }

  @Test(.enabled(if: Landlock.version > 0, "this kernel has no Landlock"))
  func `a command sees nothing of the plane's state`() async throws {
    let test = try await TestPlane(daemon: daemon())
    let admin = try await test.admin()
    _ = try await create(admin)
    let key = test.state.folder.path(of: "client/key.pem")
    let result = try await run("cat '\(key)'", admin)
    #expect(!result.output.contains("PRIVATE KEY"))
    #expect(result.exit.code != 0)
    try await delete(admin)
    await test.stop()
  }
}
