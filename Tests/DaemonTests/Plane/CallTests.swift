import Calls
import Crypto
import DaemonWire
import EventLoop
import FoundationEssentials
import Glibc
import RPC
import Sandbox
import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(5))) struct `A daemon and its plane, call by call` {
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

  @Test func `tell what a command changed before its exit, on each stream`() async throws {
    try await withDaemon { plane, daemon in
      let root = daemon.options.root
      try "old\n".write(toFile: root + "/kept.txt")
      try plane.offer("call_1", script: "echo new > kept.txt; mkdir d; ln -s ../kept.txt d/l")
      let call = try await plane.ended("call_1")
      let effects = try #require(call.effects.first)
      #expect(effects.lines == ["created d", "created d/l", "modified kept.txt"])
      #expect(effects.source == .scan)
      #expect(effects.incomplete.isEmpty)
      #expect(effects.file("kept.txt")?.before?.string == "old\n")
      #expect(effects.file("kept.txt")?.after?.string == "new\n")
    }
  }

  @Test func `tell that what did not start changed nothing`() async throws {
    try await withDaemon { plane, _ in
      try plane.offer("call_1", "process.exec", ExecRequest(argv: [Array("/no/such".utf8)]))
      let call = try await plane.ended("call_1")
      #expect(call.exit?.outcome == .spawnFailed)
      #expect(call.effects == [Effects(source: .scan)])
    }
  }

  @Test func `tell what a file tool changed`() async throws {
    try await withDaemon { plane, _ in
      let request = WriteRequest(path: Array("a.txt".utf8), content: Array("x\n".utf8))
      try plane.offer("call_1", "files.write", request)
      let call = try await plane.ended("call_1")
      #expect(call.effects.first?.source == .tool)
      #expect(call.effects.first?.lines == ["created a.txt"])
    }
  }

  @Test func `say in short why they do not know all that a command changed`() async throws {
    try await withDaemon { plane, daemon in
      let tree = try DeepTree(in: daemon.options.root)
      try plane.offer("call_1", script: "exit 3")
      let call = try await plane.ended("call_1")
      #expect(call.exit?.outcome == .exited)
      let reasons = try #require(call.effects.first).incomplete
      #expect(reasons.contains { $0.contains("cannot be looked into") })
      #expect(reasons.allSatisfy { $0.utf8.count <= 1_024 })
      extendLifetime(tree)
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
}
