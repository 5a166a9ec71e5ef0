import Crypto
import DaemonWire
import EventLoop
import FoundationEssentials
import Glibc
import RPC
import Sandbox
import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(5))) struct `A daemon and its plane` {
  @Test func `link after one enrollment`() async throws {
    try await withDaemon(heartbeatMs: 200) { plane, daemon in
      let state = plane.state.value
      #expect(state.isTokenUsed)
      #expect(state.links[0].hello.generation == 1)
      #expect(state.links[0].hello.capabilities.contains("process.exec"))
      #expect(state.links[0].hello.capabilities.contains("files.read"))
      #expect(state.links[0].inventory.isEmpty)
      let identity = daemon.options.state + "/identity"
      let attributes = try FileManager.default.attributesOfItem(atPath: identity)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      await plane.state.wait { $0.heartbeats >= 2 }
    }
  }

  @Test func `part when the token is refused`() async throws {
    let plane = try await ScriptedPlane()
    let daemon = try TestDaemon(plane, token: "another")
    await daemon.stopped.wait { $0 }
    #expect(daemon.problem.value?.description.contains("refused the enrollment") == true)
    #expect(plane.state.value.links.isEmpty)
    await plane.close()
  }

  @Test func `part when the workspace was deleted`() async throws {
    let plane = try await ScriptedPlane()
    plane.state.change { $0.refusal = RPCStatus(.notFound, "workspace ws_1 was deleted") }
    let daemon = try TestDaemon(plane)
    await daemon.stopped.wait { $0 }
    #expect(daemon.problem.value?.description == "workspace ws_1 was deleted")
    await plane.close()
  }

  @Test func `do not link when the plane's key is not a pinned one`() async throws {
    let plane = try await ScriptedPlane()
    let other = try PrivateKey.generate().publicKey.pin
    let daemon = try TestDaemon(plane, pins: [other])
    await daemon.stopped.wait { $0 }
    #expect(daemon.problem.value?.description.contains("pinned") == true)
    await plane.close()
  }

  @Test func `leave no connection behind when the plane's key is not a pinned one`() async throws {
    let plane = try await ScriptedPlane()
    let path = try makeTemporaryFolder()
    var options = try TestDaemon.options(path, plane, ScriptedPlane.token)
    let enrolled = try DaemonProcess(path, options)
    await plane.linked(1)
    enrolled.end(Signals.terminate)
    options.pins = [try PrivateKey.generate().publicKey.pin]
    let (refusals, stopped) = (Watched(0), Watched(false))
    let log = Log { line in if line.contains("dial_failed") { refusals.change { $0 += 1 } } }
    let daemon = try Daemon(options, on: EventLoop(name: "test daemon"), log: log)
    daemon.start { _ in stopped.change { $0 = true } }
    await refusals.wait { $0 >= 2 }
    while await plane.mutual.connectionCount > 0, !Task.isCancelled { await Task.yield() }
    #expect(!Task.isCancelled, "connections stay open")
    daemon.stop()
    await stopped.wait { $0 }
    daemon.loop.stop()
    await plane.close()
    try? FileManager.default.removeItem(atPath: path)
  }

  @Test func `do not start with a root that shows what is hidden`() async throws {
    let plane = try await ScriptedPlane()
    let path = try makeTemporaryFolder()
    var options = try TestDaemon.options(path, plane, ScriptedPlane.token)
    let daemon = { try Daemon(options, on: EventLoop(name: "test daemon"), log: Log { _ in }) }
    for (root, word) in [
      (path, "contains"), (path + "/state", "kept"), (path + "/state/calls", "lies in"),
    ] {
      try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
      options.root = root
      let problem = #expect(throws: DaemonOptions.Problem.self) { _ = try daemon() }
      #expect(problem?.description.contains("'\(root)'") == true)
      #expect(problem?.description.contains(word) == true)
    }
    await plane.close()
    try? FileManager.default.removeItem(atPath: path)
  }

  @Test func `never start what was cancelled before it came`() async throws {
    try await withDaemon { plane, _ in
      try plane.say(.cancel(CancelCall(callId: "call_1")))
      try plane.offer("call_1", script: "echo never")
      let state = await plane.state.wait { $0.refused.count == 1 }
      #expect(state.calls["call_1"]?.carries == 0)
    }
  }

  @Test func `start nothing twice`() async throws {
    try await withDaemon { plane, daemon in
      let request = ExecRequest(
        argv: ["/bin/sh", "-c", "echo x >> count"].map { Array($0.utf8) }
      )
      let offer = try plane.offer("call_1", "process.exec", request)
      try plane.say(.offer(offer))
      #expect(try await plane.ended("call_1").exit?.code == 0)
      try plane.say(.offer(offer))
      try plane.offer("call_2", script: "cat count")
      #expect(try await plane.ended("call_2").text == "x\n")
      #expect(plane.state.value.calls["call_1"]?.carries == 1)
    }
  }

  @Test func `lose and repeat nothing when the connection is cut`() async throws {
    try await withDaemon { plane, _ in
      try plane.offer(
        "call_1",
        script: "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; read x; echo $x"
      )
      await plane.state.wait { ($0.calls["call_1"]?.text.count ?? 0) > 2_000 }
      await plane.cut()
      let linked = await plane.linked(2)
      #expect(linked.links[1].inventory.map(\.callId) == ["call_1"])
      #expect(linked.links[1].hello.instanceId == linked.links[0].hello.instanceId)
      try plane.resume("call_1")
      await plane.state.wait { $0.calls["call_1"]?.carries == 2 }
      try plane.write("end\n", at: 0, to: "call_1")
      let call = try await plane.ended("call_1")
      let lines = (0..<5_000).map { "line \($0)\n" }.joined()
      #expect(call.text == lines + "end\n")
      #expect(call.violations == 0)
      #expect(call.gaps.isEmpty)
    }
  }

  @Test func `send nothing again for a resume that is repeated`() async throws {
    try await withDaemon { plane, _ in
      try plane.offer("call_1", script: "read x; echo one; echo two; read x; echo $x")
      await plane.state.wait { $0.calls["call_1"]?.carry != nil }
      await plane.cut()
      await plane.linked(2)
      let ticket = plane.ticket(for: "call_1")
      try plane.resume("call_1", with: ticket)
      await plane.state.wait { $0.calls["call_1"]?.carries == 2 }
      try plane.write("go\n", at: 0, to: "call_1")
      await plane.state.wait { $0.calls["call_1"]?.text == "one\ntwo\n" }
      // As the plane says it when the daemon's `unclaimed` crossed the first.
      try plane.say(.resume(Resume(callId: "call_1", ticket: ticket, acknowledged: [])))
      try plane.write("end\n", at: 3, to: "call_1")
      let call = try await plane.ended("call_1")
      #expect(call.text == "one\ntwo\nend\n")
      #expect(call.violations == 0)
      #expect(call.carries == 2)
    }
  }

  @Test func `keep an exit until the plane has it`() async throws {
    try await withDaemon { plane, daemon in
      try plane.offer(
        "call_1",
        script: "echo ready; while [ ! -e go ]; do sleep 0.05; done; exit 5"
      )
      await plane.state.wait { $0.calls["call_1"]?.text == "ready\n" }
      await plane.cut()
      try "".write(toFile: daemon.options.root + "/go")
      await plane.linked(2)
      await plane.state.wait { $0.unclaimed.contains("call_1") }
      try plane.resume("call_1")
      let call = try await plane.ended("call_1")
      #expect(call.exit?.code == 5)
      #expect(call.text == "ready\n")
    }
  }

  @Test func `make the next link before the last is given up`() async throws {
    try await withDaemon { plane, _ in
      try plane.offer("call_1", script: "read x; echo $x")
      await plane.state.wait { $0.calls["call_1"]?.carry != nil }
      try plane.say(.drain(Drain(reason: "test")))
      let state = await plane.linked(2)
      #expect(state.linksEnded == 0)
      try plane.write("still\n", at: 0, to: "call_1")
      #expect(try await plane.ended("call_1").text == "still\n")
      await plane.state.wait { $0.linksEnded == 1 }
    }
  }

  @Test func `renew the certificate at half its life`() async throws {
    let plane = try await ScriptedPlane()
    plane.state.change { $0.firstLifetime = .seconds(60) }
    let daemon = try TestDaemon(plane)
    let state = await plane.linked(2)
    #expect(state.renewals == 1)
    await daemon.stop()
    await plane.close()
  }

  @Test func `end all commands when the daemon stops`() async throws {
    let plane = try await ScriptedPlane()
    let daemon = try TestDaemon(plane)
    await plane.linked(1)
    try plane.offer("call_1", script: "echo $$; sleep 60")
    let state = await plane.state.wait { $0.calls["call_1"]?.text.hasSuffix("\n") ?? false }
    let process = state.calls["call_1"]?.text.dropLast() ?? ""
    await daemon.stop()
    #expect(!FileManager.default.fileExists(atPath: "/proc/\(process)"))
    let exit = try await plane.ended("call_1").exit
    #expect(exit?.outcome == .cancelled)
    #expect(exit?.error?.code == "unavailable")
    await plane.close()
  }

  @Test func `count what a command wrote while no daemon was there`() async throws {
    let plane = try await ScriptedPlane()
    let path = try makeTemporaryFolder()
    let options = try TestDaemon.options(path, plane, ScriptedPlane.token)
    try leaveCall("call_1", in: options.state, unread: [5_000, 300])
    let daemon = try DaemonProcess(path, options)
    let linked = await plane.linked(1)
    #expect(linked.links[0].inventory.map(\.callId) == ["call_1"])
    try plane.resume("call_1")
    let call = try await plane.ended("call_1")
    #expect(call.exit?.outcome == .exited)
    #expect(call.exit?.totals.map(\.bytes) == [5_000, 300])
    // Of bytes that nobody saw there is no digest.
    #expect(call.exit?.totals.map(\.sha256) == [[], []])
    #expect(call.output.isEmpty)
    #expect(call.effects.last?.incomplete.count == 1)
    daemon.end(Signals.terminate)
    await plane.close()
    try? FileManager.default.removeItem(atPath: path)
  }

  @Test func `have what a supervisor kept that goes as they come`() async throws {
    let plane = try await ScriptedPlane()
    let path = try makeTemporaryFolder()
    let options = try TestDaemon.options(path, plane, ScriptedPlane.token)
    try leaveCall("call_1", in: options.state, unread: [0, 0])
    let daemon = try startBeside("call_1", kept: "rest\n", path, options)
    await plane.linked(1)
    try plane.resume("call_1")
    let call = try await plane.ended("call_1")
    #expect(call.text == "rest\n")
    #expect(call.exit?.outcome == .exited)
    #expect(call.exit?.totals.map(\.bytes) == [5, 0])
    daemon.end(Signals.terminate)
    await plane.close()
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Starts a daemon that a supervisor hears, which then goes and answers nothing.
  private func startBeside(
    _ id: String,
    kept: String,
    _ path: String,
    _ options: DaemonOptions
  ) throws -> DaemonProcess {
    let folder = try StateFolder(options.state).folder("calls").folder(id)
    try folder.write(CallJournal.File.rest(0), Array(kept.utf8))
    let listener = try ControlSocket.listening(in: folder, named: "supervisor")
    let daemon = try DaemonProcess(path, options)
    #expect(try !ControlSocket.accept(on: listener).receive().message.isEmpty)
    return daemon
  }

  /// What a killed daemon and the supervisor that waited for the next one leave of a command.
  private func leaveCall(_ id: String, in state: String, unread: [UInt64]) throws {
    let entry = CallJournal(
      tool: "process.exec",
      digest: SHA256.hash([]),
      requestBytes: 0,
      key: [1],
      deadline: BootClock.microseconds + 60_000_000,
      isTerminal: false,
      dropsOldest: false,
      ringBytes: 0
    )
    let record = ExitRecord(
      ending: .ended(.exited(3)),
      cause: .none,
      treeGone: true,
      microseconds: 1,
      unread: unread
    )
    let folder = try StateFolder(state).folder("calls").folder(id)
    try folder.write(CallJournal.File.call, entry.encoded)
    try folder.write(ExitRecord.fileName, record.encoded)
    _ = try TransferPositions(in: folder, named: CallJournal.File.positions)
  }

  @Test func `go on after the daemon was killed`() async throws {
    let plane = try await ScriptedPlane()
    let path = try makeTemporaryFolder()
    let options = try TestDaemon.options(path, plane, ScriptedPlane.token)
    let first = try DaemonProcess(path, options)
    await plane.linked(1)
    try plane.offer("call_1", script: "echo one; read x; echo $x; exit 4")
    await plane.state.wait { $0.calls["call_1"]?.text == "one\n" }
    first.end(Signals.kill)
    let second = try DaemonProcess(path, options)
    let linked = await plane.linked(2)
    #expect(linked.links[1].inventory.map(\.callId) == ["call_1"])
    #expect(linked.links[1].hello.instanceId != linked.links[0].hello.instanceId)
    try plane.resume("call_1")
    await plane.state.wait { $0.calls["call_1"]?.carries == 2 }
    try plane.write("two\n", at: 0, to: "call_1")
    let call = try await plane.ended("call_1")
    #expect(call.text == "one\ntwo\n")
    #expect(call.violations == 0)
    #expect(call.exit?.code == 4)
    // The second does not know how the workspace was before the command.
    #expect(call.effects.last?.incomplete.count == 1)
    second.end(Signals.terminate)
    await plane.close()
    try? FileManager.default.removeItem(atPath: path)
  }
}
