import Calls
import DaemonWire
import EventLoop
import FoundationEssentials
import Glibc
import Sandbox
import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(5))) struct `A daemon and its plane, at a call's end` {
  @Test(arguments: [false, true])
  func `end a command as it ended although its time is over while they look`(isCancel: Bool)
    async throws
  {
    try await withDaemon { plane, daemon in
      try plane.offer("call_1", script: "while [ ! -e go ]; do sleep 0.01; done; exit 3")
      await plane.state.wait { $0.calls["call_1"]?.carry != nil }
      try await daemon.daemon.waitForCommand("call_1")
      let released = Watched(false)
      defer { released.change { $0 = true } }
      await daemon.daemon.survey.stop(until: released)
      try "".write(toFile: daemon.options.root + "/go")
      while await !daemon.daemon.isLookedBehind("call_1"), !Task.isCancelled { await Task.yield() }
      try #require(await daemon.daemon.isLookedBehind("call_1"))
      if isCancel {
        try plane.say(.cancel(CancelCall(callId: "call_1")))
        // Behind it on the same stream.
        try plane.offer("call_2", "no.tool", ExecRequest())
        await plane.state.wait { !$0.refused.isEmpty }
      } else {
        await daemon.daemon.passDeadline(of: "call_1")
      }
      released.change { $0 = true }
      let exit = try await plane.ended("call_1").exit
      #expect(exit?.outcome == .exited)
      #expect(exit?.code == 3)
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

  @Test func `do not start what is cancelled while the workspace is looked at`() async throws {
    try await withDaemon { plane, daemon in
      let released = Watched(false)
      defer { released.change { $0 = true } }
      await daemon.daemon.survey.stop(until: released)
      try plane.offer("call_1", script: "touch ran")
      try plane.say(.cancel(CancelCall(callId: "call_1")))
      // Behind it on the same stream.
      try plane.offer("call_2", "no.tool", ExecRequest())
      await plane.state.wait { !$0.refused.isEmpty }
      released.change { $0 = true }
      let exit = try #require(try await plane.ended("call_1").exit)
      #expect(exit.outcome == .cancelled)
      #expect(exit.treeGone)
      // No supervisor has measured any time.
      #expect(exit.durationUs == 0)
      #expect(!FileManager.default.fileExists(atPath: daemon.options.root + "/ran"))
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

  @Test func `say how a command ended by itself although its time is over before it is read`()
    async throws
  {
    try await withDaemon(tail: .milliseconds(100)) { plane, daemon in
      plane.state.change { $0.isStalled = true }
      let id = "call_1"
      try plane.offer(id, script: "cat /dev/zero & exit 0")
      while await !daemon.daemon.hasRecord(id), !Task.isCancelled { await Task.yield() }
      try #require(await daemon.daemon.hasRecord(id))
      await daemon.daemon.passDeadline(of: id)
      let state = await plane.state.wait { $0.calls[id]?.exit != nil || $0.unclaimed.contains(id) }
      if state.calls[id]?.exit == nil { try plane.resume(id) }
      #expect(try await plane.ended(id).exit?.outcome == .exited)
    }
  }

  @Test func `end a command although its supervisor had not read what it was told`() async throws {
    try await withDaemon { plane, daemon in
      let request = ExecRequest(
        argv: ["sleep", "20"].map { Array($0.utf8) },
        terminal: DaemonWire.Terminal(columns: 80, rows: 24)
      )
      try plane.offer("call_1", "process.exec", request)
      try await daemon.daemon.waitForCommand("call_1")
      let supervisor = try #require(await daemon.daemon.supervisor(of: "call_1"))
      await plane.state.wait { $0.calls["call_1"]?.carry != nil }
      Signals.send(SIGSTOP, to: supervisor)
      defer { Signals.send(SIGCONT, to: supervisor) }
      for columns in 1...1_000 {
        try plane.say(.resize(Resize(columns: UInt32(columns), rows: 24)), to: "call_1")
      }
      try plane.write("x", at: 0, to: "call_1")
      await plane.state.wait { $0.calls["call_1"]?.inputTaken == 1 }
      try plane.say(.cancel(CancelCall(callId: "call_1")))
      // Behind it on the same stream.
      try plane.offer("call_2", "no.tool", ExecRequest())
      await plane.state.wait { !$0.refused.isEmpty }
      Signals.send(SIGCONT, to: supervisor)
      let exit = try await plane.ended("call_1").exit
      #expect(exit?.outcome == .cancelled)
      #expect(exit?.signal != 0, "it ended by itself")
    }
  }

  @Test func `start commands while supervisors do not go that were let go`() async throws {
    try await withDaemon(tail: .milliseconds(100)) { plane, daemon in
      plane.state.change { $0.isStalled = true }
      for id in ["call_1", "call_2"] {
        try plane.offer(id, script: "cat /dev/zero & exit 0")
        while await !daemon.daemon.hasRecord(id), !Task.isCancelled { await Task.yield() }
        let supervisor = try #require(await daemon.daemon.supervisor(of: id))
        Signals.send(SIGSTOP, to: supervisor)
        try plane.say(.cancel(CancelCall(callId: id)))
        while await daemon.daemon.supervisor(of: id) != nil, !Task.isCancelled {
          await Task.yield()
        }
      }
      let departing = await daemon.daemon.departing
      defer { for supervisor in departing { Signals.send(SIGCONT, to: supervisor) } }
      #expect(departing.count == 2)
      plane.state.change { $0.isStalled = false }
      try plane.offer("call_3", script: "exit 3")
      #expect(try await plane.ended("call_3").exit?.code == 3)
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
}

extension Daemon {
  /// Until the command runs.
  fileprivate func waitForCommand(_ id: String) async throws {
    while live[id]?.command?.isOpen != true, !Task.isCancelled { await Task.yield() }
    try #require(live[id]?.command?.isOpen == true)
  }

  fileprivate func supervisor(of id: String) -> Int32? { live[id]?.command?.link?.child }

  /// The command has ended, and its output may wait.
  fileprivate func hasRecord(_ id: String) -> Bool { live[id]?.command?.record != nil }

  /// The command has ended, and what it changed is being looked for.
  fileprivate func isLookedBehind(_ id: String) -> Bool {
    live[id]?.command?.isSurveyed ?? false
  }

  fileprivate func passDeadline(of id: String) { endInTime(id, .deadline) }
}

extension Survey {
  /// Has its thread wait, from before this returns; for a minute at most.
  fileprivate func stop(until released: Watched<Bool>) async {
    let limit = ContinuousClock.now + .seconds(60)
    let isStopped = Watched(false)
    before { baseline in
      isStopped.change { $0 = true }
      while !released.value, ContinuousClock.now < limit { sched_yield() }
      self.abandon(baseline)
    }
    await isStopped.wait { $0 }
  }
}
