import Crypto
import DaemonWire
import EventLoop
import FoundationEssentials
import Glibc
import RPC
import Sandbox
import Testing

@testable import Daemon

/// Runs a plane and its daemon for one test.
private func withDaemon(
  tail: Duration = .seconds(5),
  _ body: (ScriptedPlane, TestDaemon) async throws -> Void
) async throws {
  let plane = try await ScriptedPlane()
  let daemon = try TestDaemon(plane, tail: tail)
  await plane.linked(1)
  do {
    try await body(plane, daemon)
  } catch {
    Issue.record(error)
  }
  await daemon.stop()
  await plane.close()
}

@Suite(.timeLimit(.minutes(5))) struct `A daemon and its plane` {
  @Test func `link after one enrollment`() async throws {
    try await withDaemon { plane, daemon in
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

  @Test func `run a command to its exact end`() async throws {
    try await withDaemon { plane, _ in
      try plane.offer("call_1", script: "echo out; echo err >&2; exit 3")
      let call = try await plane.ended("call_1")
      #expect(call.text == "out\n")
      #expect(call.output[DaemonWire.Stream.stderr.rawValue] == Array("err\n".utf8))
      #expect(call.exit?.outcome == .exited)
      #expect(call.exit?.code == 3)
      #expect(call.exit?.treeGone == true)
      #expect(call.exit?.totals.map(\.bytes) == [4, 4])
      #expect(call.exit?.totals[0].sha256 == SHA256.hash(Array("out\n".utf8)))
    }
  }

  @Test func `pass a large output exactly`() async throws {
    try await withDaemon { plane, _ in
      try plane.offer("call_1", script: "seq 1 3000000")
      let call = try await plane.ended("call_1")
      let bytes = call.output[DaemonWire.Stream.stdout.rawValue] ?? []
      #expect(call.violations == 0)
      #expect(call.exit?.totals[0].bytes == UInt64(bytes.count))
      #expect(call.exit?.totals[0].sha256 == SHA256.hash(bytes))
      #expect(bytes.suffix(8) == Array("3000000\n".utf8)[...])
    }
  }

  @Test func `pass input, and its end`() async throws {
    try await withDaemon { plane, _ in
      try plane.offer("call_1", script: "cat; echo over")
      await plane.state.wait { $0.calls["call_1"]?.carry != nil }
      try plane.write("hello\n", at: 0, to: "call_1")
      await plane.state.wait { $0.calls["call_1"]?.text == "hello\n" }
      try plane.say(.closeStdin(CloseStdin(offset: 6)), to: "call_1")
      let call = try await plane.ended("call_1")
      #expect(call.text == "hello\nover\n")
      #expect(call.inputTaken == 6)
    }
  }

  @Test func `wait before it asks for a stream again that there was no room for`() async throws {
    try await withDaemon { plane, _ in
      plane.state.change { $0.isFull = true }
      try plane.offer("call_1", script: "true")
      let state = await plane.state.wait { $0.unclaimed == ["call_1"] }
      let since = try #require(state.fullSince)
      #expect(ContinuousClock.now - since >= .milliseconds(900))
    }
  }

  @Test func `outlive a command that does not read its input`() async throws {
    try await withDaemon { plane, _ in
      try plane.offer(
        "call_1",
        script: "exec 0<&-; echo ready; while [ ! -e go ]; do sleep 0.05; done"
      )
      await plane.state.wait { $0.calls["call_1"]?.text == "ready\n" }
      try plane.write("for nobody\n", at: 0, to: "call_1")
      await plane.state.wait { $0.calls["call_1"]?.inputTaken == 11 }
      try plane.offer("call_2", script: "touch go")
      #expect(try await plane.ended("call_1").exit?.code == 0)
    }
  }

  @Test(.enabled(if: Landlock.version > 0))
  func `show a command neither the daemon's state nor its environment`() async throws {
    unsafe setenv("GATEHOUSE_TEST_MARKER", "secret", 1)
    try await withDaemon { plane, daemon in
      let state = daemon.options.state
      try plane.offer(
        "call_1",
        script: "cat \(state)/identity; ls \(state)/calls/*/call | xargs cat; env"
      )
      let call = try await plane.ended("call_1")
      #expect(!call.text.contains("PRIVATE KEY"))
      #expect(!call.text.contains("secret"))
      #expect(call.text.contains("PATH="))
      let errors = call.output[DaemonWire.Stream.stderr.rawValue] ?? []
      #expect(String(decoding: errors, as: UTF8.self).contains("Permission denied"))
    }
  }

  @Test func `pass signals`() async throws {
    try await withDaemon { plane, _ in
      try plane.offer(
        "call_1",
        script: "trap 'exit 9' USR1; echo ready; while :; do sleep 0.05; done"
      )
      await plane.state.wait { $0.calls["call_1"]?.text == "ready\n" }
      try plane.say(.signal(DaemonWire.Signal(number: 10)), to: "call_1")
      #expect(try await plane.ended("call_1").exit?.code == 9)
    }
  }

  @Test func `run a terminal`() async throws {
    try await withDaemon { plane, _ in
      let request = ExecRequest(
        argv: ["stty", "size"].map { Array($0.utf8) },
        terminal: DaemonWire.Terminal(columns: 100, rows: 30)
      )
      try plane.offer("call_1", "process.exec", request)
      let call = try await plane.ended("call_1")
      #expect(call.output[DaemonWire.Stream.pty.rawValue] == Array("30 100\r\n".utf8))
    }
  }

  @Test func `run a script without pager or prompt`() async throws {
    try await withDaemon { plane, daemon in
      try plane.offer("call_1", "process.shell", ShellRequest(script: "echo $PAGER $CI; pwd"))
      let call = try await plane.ended("call_1")
      #expect(call.text == "cat true\n\(daemon.options.root)\n")
    }
  }

  @Test func `say why a command cannot start`() async throws {
    try await withDaemon { plane, _ in
      try plane.offer("call_1", "process.exec", ExecRequest(argv: [Array("nowhere".utf8)]))
      let missing = try await plane.ended("call_1").exit
      #expect(missing?.outcome == .spawnFailed)
      #expect(missing?.error?.code == "not_found")
      let request = ExecRequest(argv: [Array("true".utf8)], cwd: Array("no/such".utf8))
      try plane.offer("call_2", "process.exec", request)
      let lost = try await plane.ended("call_2").exit
      #expect(lost?.outcome == .spawnFailed)
      #expect(lost?.error?.message.contains("no/such") == true)
    }
  }

  @Test func `write and read files`() async throws {
    try await withDaemon { plane, _ in
      let path = Array("a.txt".utf8)
      try plane.offer("call_1", "files.write", WriteRequest(path: path, content: [1, 2, 3]))
      #expect(try await plane.ended("call_1").exit?.code == 0)
      try plane.offer("call_2", "files.read", ReadRequest(path: path))
      let response = try #require(await plane.ended("call_2").exit?.response)
      #expect(try ReadResponse(decoding: response).content == [1, 2, 3])
      try plane.offer("call_3", "files.read", ReadRequest(path: Array("none".utf8)))
      let exit = try await plane.ended("call_3").exit
      #expect(exit?.code == 1)
      #expect(exit?.error?.code == "not_found")
    }
  }

  @Test func `refuse what is not offered rightly`() async throws {
    try await withDaemon { plane, _ in
      try plane.offer("call_1", "no.tool", ExecRequest())
      await plane.state.wait { $0.refused.count == 1 }
      var offer = try plane.offer("call_2", "no.tool", ExecRequest())
      (offer.callId, offer.tool, offer.digest) = ("call_3", "process.exec", [1])
      try plane.say(.offer(offer))
      let state = await plane.state.wait { $0.refused.count == 3 }
      #expect(
        state.refused.map { $0.error?.code } == ["unknown_tool", "unknown_tool", "digest_mismatch"]
      )
    }
  }

  @Test func `take a large request over the carry`() async throws {
    try await withDaemon { plane, _ in
      let words = (0..<8).map { _ in [UInt8](repeating: UInt8(ascii: "x"), count: 60_000) }
      let request = ExecRequest(
        argv: ["/bin/sh", "-c", "echo \"$*\" | wc -c; read x", "sh"].map { Array($0.utf8) } + words,
        stdin: true
      )
      try plane.offer("call_1", "process.exec", request, inOffer: false)
      await plane.state.wait { $0.calls["call_1"]?.carry != nil }
      let bytes = try request.encoded()
      for start in stride(from: 0, to: bytes.count, by: 50_000) {
        let data = Array(bytes[start..<min(start + 50_000, bytes.count)])
        try plane.say(
          .chunk(DaemonWire.Chunk(stream: .request, offset: UInt64(start), data: data)),
          to: "call_1"
        )
      }
      await plane.state.wait { $0.calls["call_1"]?.text == "480008\n" }
      await plane.cut()
      await plane.linked(2)
      try plane.resume("call_1")
      let state = await plane.state.wait { $0.calls["call_1"]?.opened.count == 2 }
      let received = state.calls["call_1"]?.opened.last?.received ?? []
      #expect(received.first { $0.stream == .request }?.offset == UInt64(bytes.count))
      try plane.write("\n", at: 0, to: "call_1")
      #expect(try await plane.ended("call_1").exit?.code == 0)
    }
  }

  @Test func `end a cancelled command with all it started`() async throws {
    try await withDaemon { plane, _ in
      try plane.offer("call_1", script: "sleep 61 & echo $!; wait")
      let state = await plane.state.wait { $0.calls["call_1"]?.text.hasSuffix("\n") ?? false }
      let child = state.calls["call_1"]?.text.dropLast() ?? ""
      try plane.say(.cancel(CancelCall(callId: "call_1")))
      let exit = try await plane.ended("call_1").exit
      #expect(exit?.outcome == .cancelled)
      #expect(exit?.treeGone == true)
      #expect(!FileManager.default.fileExists(atPath: "/proc/\(child)"))
    }
  }

  @Test func `end a command at its deadline`() async throws {
    try await withDaemon { plane, _ in
      try plane.offer("call_1", script: "sleep 60", deadline: .milliseconds(200))
      #expect(try await plane.ended("call_1").exit?.outcome == .timedOut)
    }
  }

  @Test(arguments: [2_000, 200_000, 4_000_000])
  func `say how a cancelled command ended although nobody reads it`(bytes: Int) async throws {
    try await withDaemon(tail: .milliseconds(100)) { plane, _ in
      plane.state.change { $0.isStalled = true }
      let id = "call_1"
      try plane.offer(
        id,
        script: "touch begun; head -c \(bytes) /dev/zero; touch written; exec sleep 60"
      )
      // The ring holds 1 MiB: more is never written.
      let isWhole = bytes < 1 << 20
      try await plane.waitForFile(isWhole ? "written" : "begun")
      try plane.say(.cancel(CancelCall(callId: id)))
      let state = await plane.state.wait { $0.calls[id]?.exit != nil || $0.unclaimed.contains(id) }
      if state.calls[id]?.exit == nil { try plane.resume(id) }
      let call = try await plane.ended(id)
      #expect(call.exit?.outcome == .cancelled)
      #expect(call.exit?.treeGone == true)
      #expect(call.violations == 0)
      let came = call.output[DaemonWire.Stream.stdout.rawValue]?.count ?? 0
      let total = try #require(call.exit?.totals.first?.bytes)
      #expect(total >= UInt64(came))
      if isWhole { #expect(total == UInt64(bytes)) }
    }
  }

  @Test func `say how a command ended by itself once a cancel wants to know`() async throws {
    try await withDaemon(tail: .milliseconds(100)) { plane, _ in
      plane.state.change { $0.isStalled = true }
      let id = "call_1"
      try plane.offer(id, script: "head -c 200000 /dev/zero; touch written")
      try await plane.waitForFile("written")
      try plane.say(.cancel(CancelCall(callId: id)))
      await plane.state.wait { $0.unclaimed.contains(id) }
      try plane.resume(id)
      let call = try await plane.ended(id)
      #expect(call.exit?.outcome == .exited || call.exit?.outcome == .cancelled)
      #expect(call.exit?.totals.first?.bytes == 200_000)
    }
  }

  @Test func `stop although nobody reads what a command wrote`() async throws {
    try await withDaemon(tail: .milliseconds(100)) { plane, daemon in
      plane.state.change { $0.isStalled = true }
      try plane.offer("call_1", script: "touch begun; cat /dev/zero")
      try await plane.waitForFile("begun")
      daemon.daemon.stop()
      await daemon.stopped.wait { $0 }
      #expect(daemon.stopped.value)
    }
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
    #expect(try await plane.ended("call_1").exit?.outcome == .signalled)
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
    #expect(call.output.isEmpty)
    daemon.end(Signals.terminate)
    await plane.close()
    try? FileManager.default.removeItem(atPath: path)
  }

  /// What a killed daemon and the supervisor that waited for the next one leave of a command.
  private func leaveCall(_ id: String, in state: String, unread: [UInt64]) throws {
    let entry = CallJournal(
      tool: "process.exec",
      digest: SHA256.hash([]),
      requestBytes: 0,
      key: [1],
      deadline: WallClock.microseconds + 60_000_000,
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
    second.end(Signals.terminate)
    await plane.close()
    try? FileManager.default.removeItem(atPath: path)
  }
}
