import Calls
import Crypto
import DaemonWire
import EventLoop
import FoundationEssentials
import Glibc
import Sandbox
import TestSupport
import Testing

@testable import Daemon

/// A daemon that dies, or makes way, and the one that comes after it, as processes.
@Suite(.timeLimit(.minutes(5))) struct `A daemon and its successor` {
  /// Numbered lines without end to speak of, so that each byte has one place.
  static let lines =
    "i=0; while [ $i -lt 20000 ]; do echo \"line $i of the output\"; i=$((i+1)); done"

  static var text: String { (0..<20_000).map { "line \($0) of the output\n" }.joined() }

  @Test func `have every byte that was read and not delivered`() async throws {
    try await withProcesses { plane, daemons in
      plane.state.change { $0.isStalled = true }
      try plane.offer("call_1", script: Self.lines + "; read x; exit 5")
      // All of it is out of the pipe, and the plane took little.
      await daemons.waitForOutput(of: "call_1", bytes: UInt64(Self.text.utf8.count))
      try daemons.kill()
      plane.state.change { $0.isStalled = false }
      await plane.linked(2)
      try plane.resume("call_1")
      await plane.state.wait { $0.calls["call_1"]?.carries == 2 }
      try plane.say(.closeStdin(CloseStdin(offset: 0)), to: "call_1")
      let call = try await plane.ended("call_1")
      #expect(call.text == Self.text)
      #expect(call.violations == 0 && call.gaps.isEmpty)
      #expect(call.exit?.code == 5)
    }
  }

  @Test(arguments: [false, true])
  func `lose no byte however often one is killed`(isTerminal: Bool) async throws {
    try await withProcesses { plane, daemons in
      let request = ExecRequest(
        argv: ["/bin/sh", "-c", Self.lines + "; exit 5"].map { Array($0.utf8) },
        terminal: isTerminal ? DaemonWire.Terminal(columns: 80, rows: 24) : nil
      )
      try plane.offer("call_1", "process.exec", request)
      let stream = (isTerminal ? DaemonWire.Stream.pty : .stdout).rawValue
      for kills in 1...6 {
        let enough = kills * 60_000
        await plane.state.wait { ($0.calls["call_1"]?.output[stream]?.count ?? 0) > enough }
        try daemons.kill()
        await plane.linked(kills + 1)
        try plane.resume("call_1")
      }
      let call = try await plane.ended("call_1")
      let text =
        isTerminal ? Self.text.split(separator: "\n").map { $0 + "\r\n" }.joined() : Self.text
      #expect(call.output[stream] == Array(text.utf8))
      #expect(call.violations == 0 && call.gaps.isEmpty)
      #expect(call.exit?.outcome == .exited && call.exit?.code == 5)
      #expect(call.exit?.totals.first?.bytes == UInt64(text.utf8.count))
    }
  }

  @Test func `go on with the same run of it when one makes way`() async throws {
    try await withProcesses { plane, daemons in
      try plane.offer("call_1", script: "echo one; read x; echo $x; exit 4")
      await plane.state.wait { $0.calls["call_1"]?.text == "one\n" }
      Signals.send(SIGHUP, to: daemons.process)
      let linked = await plane.linked(2)
      #expect(linked.links[1].inventory.map(\.callId) == ["call_1"])
      #expect(linked.links[1].hello.instanceId == linked.links[0].hello.instanceId)
      try plane.resume("call_1")
      await plane.state.wait { $0.calls["call_1"]?.carries == 2 }
      try plane.write("two\n", at: 0, to: "call_1")
      let call = try await plane.ended("call_1")
      #expect(call.text == "one\ntwo\n")
      #expect(call.exit?.code == 4)
      // The supervisor was a child of the one before, which had the same process id.
      let children = "/proc/\(daemons.process)/task/\(daemons.process)/children"
      while try !String(contentsOfFile: children, encoding: .utf8).isEmpty { await Task.yield() }
    }
  }

  @Test func `take each byte of input once while one after the other makes way`() async throws {
    try await withProcesses { plane, daemons in
      // Slower than what comes: there is always something to write.
      try plane.offer("call_1", script: "dd bs=512 status=none | sha256sum")
      var offset: UInt64 = 0
      let last = 13
      for links in 1...last {
        if links > 1 {
          Signals.send(SIGHUP, to: daemons.process)
          await plane.linked(links)
          try plane.resume("call_1")
        }
        let state = await plane.state.wait {
          $0.calls["call_1"]?.opened.count == links || $0.calls["call_1"]?.exit != nil
        }
        try #require(
          state.calls["call_1"]?.exit == nil,
          "\(state.calls["call_1"]?.exit?.error?.message ?? "")"
        )
        offset = state.calls["call_1"]?.inputAtOpening ?? 0
        guard links < last else { break }
        for piece in 0..<32 {
          let start = offset + UInt64(piece * 32_768)
          let data = Input.bytes(from: start, count: 32_768)
          try plane.say(
            .chunk(DaemonWire.Chunk(stream: .stdin, offset: start, data: data)),
            to: "call_1"
          )
        }
        await plane.state.wait { [offset] in ($0.calls["call_1"]?.inputTaken ?? 0) > offset }
      }
      try plane.say(.closeStdin(CloseStdin(offset: offset)), to: "call_1")
      let call = try await plane.ended("call_1")
      #expect(call.exit?.outcome == .exited && call.exit?.code == 0)
      #expect(call.exit?.error == nil)
      #expect(call.text == Input.digest(offset) + "  -\n")
    }
  }

  @Test func `end a terminal's input once`() async throws {
    try await withProcesses { plane, daemons in
      let request = ExecRequest(
        argv: ["/bin/sh", "-c", "cat; echo second; cat"].map { Array($0.utf8) },
        terminal: DaemonWire.Terminal(columns: 80, rows: 24)
      )
      try plane.offer("call_1", "process.exec", request)
      await plane.state.wait { $0.calls["call_1"]?.carry != nil }
      try plane.say(.closeStdin(CloseStdin(offset: 0)), to: "call_1")
      let pty = DaemonWire.Stream.pty.rawValue
      await plane.state.wait {
        String(decoding: $0.calls["call_1"]?.output[pty] ?? [], as: UTF8.self).contains("second")
      }
      Signals.send(SIGHUP, to: daemons.process)
      await plane.linked(2)
      try plane.resume("call_1")
      await plane.state.wait { $0.calls["call_1"]?.carries == 2 }
      try plane.say(.closeStdin(CloseStdin(offset: 0)), to: "call_1")
      // The second would have ended by then.
      try plane.offer("call_2", script: "true")
      _ = try await plane.ended("call_2")
      try plane.say(.signal(DaemonWire.Signal(number: 15)), to: "call_1")
      #expect(try await plane.ended("call_1").exit?.outcome == .signalled)
    }
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/prlimit")))
  func `give commands the descriptors that the first was started with`() async throws {
    try await withProcesses(openFiles: 500) { plane, daemons in
      try plane.offer("call_1", script: "ulimit -Sn")
      #expect(try await plane.ended("call_1").text == "500\n")
      Signals.send(SIGHUP, to: daemons.process)
      await plane.linked(2)
      try plane.offer("call_2", script: "ulimit -Sn")
      #expect(try await plane.ended("call_2").text == "500\n")
    }
  }

  @Test func `hear how a file tool ended that nobody was told of`() async throws {
    try await withProcesses { plane, daemons in
      plane.state.change { $0.isFull = true }
      let request = WriteRequest(path: Array("a.txt".utf8), content: Array("x\n".utf8))
      try plane.offer("call_1", "files.write", request)
      await plane.state.wait { $0.unclaimed.contains("call_1") }
      let outcome = daemons.options.state + "/calls/call_1/outcome"
      while !FileManager.default.fileExists(atPath: outcome) { await Task.yield() }
      plane.state.change { $0.isFull = false }
      try daemons.kill()
      let linked = await plane.linked(2)
      #expect(linked.links[1].inventory.map(\.callId) == ["call_1"])
      #expect(linked.links[1].inventory.first?.exit?.outcome == .exited)
      try plane.resume("call_1")
      let call = try await plane.ended("call_1")
      #expect(call.exit?.outcome == .exited && call.exit?.error == nil)
      #expect(try WriteResponse(decoding: call.exit?.response ?? []).sha256.count == 32)
      #expect(call.effects.first?.lines == ["created a.txt"])
    }
  }

  @Test func `call a file tool lost whose end is not known`() async throws {
    let entry = CallJournal(tool: "files.write", digest: [], requestBytes: 0, deadline: .max)
    try await withProcesses(leaving: ["call_1": entry.encoded]) { plane, daemons in
      try plane.resume("call_1")
      let call = try await plane.ended("call_1")
      #expect(call.exit?.outcome == .lost)
      #expect(call.exit?.error?.code == "unavailable")
    }
  }

  /// To the plane it is another run: what the one before had started is not offered again.
  @Test(arguments: [[UInt8](), [CallJournal.version]])
  func `leave alone what another version wrote`(version: [UInt8]) async throws {
    let instance = [UInt8](repeating: 7, count: 16)
    try await withProcesses(leaving: ["call_1": [99, 1, 2, 3]]) { state in
      try state.write("instance", version + instance)
    } body: { plane, daemons in
      #expect(plane.state.value.links[0].inventory.isEmpty)
      #expect(plane.state.value.links[0].hello.instanceId != instance)
      let journal = daemons.options.state + "/calls/call_1/call"
      #expect(FileManager.default.fileExists(atPath: journal))
    }
  }

  @Test(arguments: [[UInt8](), [99]])
  func `are another run than one of another version`(version: [UInt8]) async throws {
    let instance = [UInt8](repeating: 7, count: 16)
    try await withProcesses { state in
      try state.write("instance", version + instance)
    } body: { plane, _ in
      #expect(plane.state.value.links[0].hello.instanceId != instance)
    }
  }

  @Test(arguments: [CallJournal.File.call, CallJournal.File.positions, CallJournal.File.exit])
  func `leave alone what cannot be read`(file: String) async throws {
    let entry = CallJournal(
      tool: "process.exec",
      digest: [],
      requestBytes: 0,
      key: [1],
      deadline: .max,
      isTerminal: false,
      dropsOldest: false,
      ringBytes: 0
    )
    // Larger than any that is read.
    let isJournal = file == CallJournal.File.call
    let journal = isJournal ? [UInt8](repeating: 1, count: 5 << 20) : entry.encoded
    try await withProcesses(leaving: ["call_1": journal]) { state in
      if !isJournal { _ = try state.folder("calls").folder("call_1").folder(file) }
    } body: { plane, daemons in
      #expect(plane.state.value.links[0].inventory.isEmpty)
      let path = daemons.options.state + "/calls/call_1/" + file
      #expect(FileManager.default.fileExists(atPath: path))
    }
  }

  @Test func `spill what nobody takes, in order`() async throws {
    try await withProcesses { plane, daemons in
      plane.state.change { $0.isStalled = true }
      try offer(plane, spill: 8 << 20)
      // It ended although its output waits.
      let outcome = daemons.options.state + "/calls/call_1/outcome"
      while !FileManager.default.fileExists(atPath: outcome) { await Task.yield() }
      try await expectAll(plane)
    }
  }

  @Test func `let a command wait once as much was spilled as may be`() async throws {
    try await withProcesses { plane, daemons in
      plane.state.change { $0.isStalled = true }
      try offer(plane, spill: 100_000)
      let taken = plane.state.value.calls["call_1"]?.text.utf8.count ?? 0
      #expect(taken < Self.text.utf8.count)
      await daemons.waitForOutput(of: "call_1", bytes: 65_536 + 100_000)
      #expect(!FileManager.default.fileExists(atPath: daemons.options.state + "/calls/call_1/exit"))
      try await expectAll(plane)
    }
  }

  /// The plane takes output again, on a new link.
  private func expectAll(_ plane: ScriptedPlane) async throws {
    plane.state.change { $0.isStalled = false }
    await plane.cut()
    await plane.linked(2)
    try plane.resume("call_1")
    let call = try await plane.ended("call_1")
    #expect(call.text == Self.text)
    #expect(call.violations == 0 && call.gaps.isEmpty)
  }

  private func offer(_ plane: ScriptedPlane, spill: UInt64) throws {
    let request = ExecRequest(
      argv: ["/bin/sh", "-c", Self.lines].map { Array($0.utf8) },
      output: OutputRule(whenFull: .spill, ringBytes: 65_536, spillBytes: spill)
    )
    try plane.offer("call_1", "process.exec", request)
  }
}

/// Input of which each byte tells its place.
private enum Input {
  private static let lap = 251
  private static let maxCount = 32_768
  private static let pattern = (0..<lap + maxCount).map { UInt8($0 % lap) }

  static func bytes(from start: UInt64, count: Int) -> [UInt8] {
    let first = Int(start % UInt64(lap))
    return Array(pattern[first..<first + count])
  }

  static func digest(_ count: UInt64) -> String {
    var hash = SHA256()
    for start in stride(from: 0, to: count, by: maxCount) {
      hash.update(bytes(from: start, count: Int(min(UInt64(maxCount), count - start))).span)
    }
    return Hex.encode(hash.finalize())
  }
}

extension CallRecord {
  fileprivate var inputAtOpening: UInt64? {
    opened.last?.received.first { $0.stream == .stdin }?.offset
  }
}

/// Daemons in processes of their own, one after the other in the same folders.
final class DaemonProcesses {
  let path: String
  let options: DaemonOptions
  private var current: DaemonProcess

  init(
    _ plane: ScriptedPlane,
    leaving calls: [String: [UInt8]],
    openFiles: Int?,
    _ prepare: (borrowing StateFolder) throws -> Void
  ) throws {
    path = try makeTemporaryFolder()
    options = try TestDaemon.options(path, plane, ScriptedPlane.token)
    for (id, journal) in calls {
      let folder = try StateFolder(options.state).folder("calls").folder(id)
      try folder.write(CallJournal.File.call, journal)
    }
    try prepare(StateFolder(options.state))
    current = try DaemonProcess(path, options, openFiles: openFiles)
  }

  var process: Int32 { current.process }

  /// Kills the one there is, and starts the next.
  func kill() throws {
    current.end(Signals.kill)
    current = try DaemonProcess(path, options)
  }

  func end() {
    current.end(Signals.terminate)
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Waits until a daemon has so many bytes of a command's standard output.
  func waitForOutput(of id: String, bytes: UInt64) async {
    let stream = Int(CallStream.stdout.rawValue)
    while true {
      let file = options.state + "/calls/\(id)/" + CallJournal.File.positions
      if FileManager.default.fileExists(atPath: file),
        let folder = try? StateFolder(options.state).folder("calls").folder(id),
        let positions = try? TransferPositions(in: folder, named: CallJournal.File.positions),
        positions[.end, stream] >= bytes
      {
        return
      }
      await Task.yield()
    }
  }
}

/// Runs a plane, and a daemon in a process of its own, for one test.
func withProcesses(
  leaving calls: [String: [UInt8]] = [:],
  openFiles: Int? = nil,
  preparing prepare: (borrowing StateFolder) throws -> Void = { _ in },
  body: (ScriptedPlane, DaemonProcesses) async throws -> Void
) async throws {
  let plane = try await ScriptedPlane()
  let daemons = try DaemonProcesses(plane, leaving: calls, openFiles: openFiles, prepare)
  await plane.linked(1)
  do {
    try await body(plane, daemons)
  } catch {
    Issue.record(error)
  }
  daemons.end()
  await plane.close()
}
