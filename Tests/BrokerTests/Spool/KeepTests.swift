import Calls
import Dispatch
import EventLoop
import FoundationEssentials
import Host
import Identity
import RPC
import SwiftProtobuf
import Testing
import Wire

@testable import Broker

/// A folder for a spool, removed with the value.
final class SpoolFolder: Sendable {
  let state: StateFolder

  init() throws {
    let parent = ThisProcess.variable("TMPDIR") ?? "/tmp"
    state = try StateFolder("\(parent)/gatehouse-spool-\(UInt64.random(in: 0 ... .max))")
  }

  deinit {
    guard let name = state.path.split(separator: "/").last else { return }
    try? state.removeFolder("../\(name)")
  }

  func store(_ change: (inout SpoolOptions) -> Void = { _ in }) throws -> SpoolStore {
    var options = SpoolOptions()
    options.segmentBytes = 256 << 10
    options.retryDelay = .milliseconds(20)
    change(&options)
    return try SpoolStore(in: state, options)
  }

  /// All bytes of all its files.
  func contents() throws -> [[UInt8]] {
    try state.names(in: "spool").map { try #require(try state.read("spool/\($0)")) }
  }
}

private let block = 65_536

extension ScriptedCarry {
  /// Says no more, and waits until the plane has all of it.
  func over() async throws {
    await stream.halfClose()
    while try await stream.next() != nil {}
  }

  /// Blocks of the pattern, as far as credit goes.
  func send(blocks: Range<Int>) async throws {
    for number in blocks {
      let start = number * block
      try await send(stdout: pattern(start..<start + block), at: UInt64(start))
    }
  }
}

/// Calls whose output is kept on disk.
@Suite(.timeLimit(.minutes(5))) struct KeepTests {
  private func start(
    _ rig: Rig,
    _ change: (inout Gatehouse_Tools_V1_InvokeStart) -> Void = { $0.detach = true }
  ) async throws -> (ScriptedCall, String) {
    let call = try await rig.client().start(request: [], change)
    return (call, try await call.expectAccepted().callID)
  }

  private func expectOutput(_ call: ScriptedCall, blocks: Range<Int>) async throws {
    for number in blocks {
      let start = number * block
      let output = try await call.readOutput(block, from: UInt64(start))
      #expect(output == pattern(start..<start + block))
    }
  }

  @Test func `what nobody reads is kept whole, and its daemon may forget it`() async throws {
    let folder = try SpoolFolder()
    let store = try folder.store { $0.syncDelay = .seconds(60) }
    let rig = try await Rig { $0.spool = store }
    let daemon = try await rig.daemon()
    let (owner, id) = try await start(rig)
    let carry = try await daemon.carry(daemon.expectOffer())
    await owner.stream.cancel()
    try await carry.send(blocks: 0..<128)
    try await carry.exit(code: 3, stdout: UInt64(128 * block))
    let follower = try await rig.client().follow(id)
    try await expectOutput(follower, blocks: 0..<128)
    #expect(try await follower.expectExit().code == 3)
    let spool = try #require(await rig.broker.statistics.spool)
    #expect(spool.counters.writtenBytes >= 128 * UInt64(block))
    #expect((1...64).contains(spool.counters.syncs))
    #expect(spool.segmentsUsed >= 32)
    await rig.close()
  }

  @Test func `poll gives the same, in pages, from anywhere`() async throws {
    let folder = try SpoolFolder()
    let store = try folder.store()
    let rig = try await Rig { $0.spool = store }
    let daemon = try await rig.daemon()
    let (owner, id) = try await start(rig)
    let carry = try await daemon.carry(daemon.expectOffer())
    await owner.stream.cancel()
    try await carry.send(blocks: 0..<40)
    try await carry.exit(stdout: UInt64(40 * block))
    let client = try await rig.client()
    var request = Gatehouse_Tools_V1_PollRequest()
    request.callID = id
    request.from = [offset(.stdout, 1_000_001)]
    var output: [UInt8] = []
    while true {
      let page: Gatehouse_Tools_V1_PollResponse = try await client.unary("Poll", request)
      #expect(page.gaps.isEmpty)
      for chunk in page.chunks {
        #expect(chunk.offset == UInt64(1_000_001 + output.count))
        output += chunk.data
      }
      request.from = page.next
      if page.hasExit { break }
    }
    #expect(output == pattern(1_000_001..<40 * block))
    await rig.close()
  }

  @Test func `the rule is the client's to choose, where there is a disk`() async throws {
    let folder = try SpoolFolder()
    let store = try folder.store()
    let rig = try await Rig { $0.spool = store }
    let daemon = try await rig.daemon()
    for (log, detaches, isKept) in [
      (.unspecified, false, false), (.unspecified, true, true), (.relay, true, false),
      (.keep, false, true),
    ] as [(Gatehouse_Tools_V1_LogRule, Bool, Bool)] {
      let before = await rig.broker.statistics.spool?.counters.writtenBytes ?? 0
      let (call, _) = try await start(rig) { ($0.log, $0.detach) = (log, detaches) }
      let carry = try await daemon.carry(daemon.expectOffer())
      try await carry.send(stdout: pattern(0..<100), at: 0)
      #expect(try await call.readOutput(100) == pattern(0..<100))
      try await carry.exit(stdout: 100)
      let after = await rig.broker.statistics.spool?.counters.writtenBytes ?? 0
      #expect((after > before) == isKept)
    }
    await rig.close()
    let bare = try await Rig()
    let call = try await bare.client().start { $0.log = .keep }
    let refusal = await #expect(throws: RPCStatus.self) { try await call.next() }
    #expect(refusal?.code == .unimplemented)
    await bare.close()
  }

  /// `DROP_OLDEST` of the command's own output rule.
  @Test func `beyond its quota the oldest goes, where that was asked for`() async throws {
    let folder = try SpoolFolder()
    let store = try folder.store { $0.callBytes = 1 << 20 }
    let rig = try await Rig {
      $0.spool = store
      $0.logWindow = 0
    }
    let daemon = try await rig.daemon()
    let request =
      try Gatehouse_Tools_V1_ExecRequest.with {
        $0.argv = [Data([1])]
        $0.output.whenFull = .dropOldest
      }.serializedBytes() as [UInt8]
    let owner = try await rig.client().start(request: request) { $0.detach = true }
    let id = try await owner.expectAccepted().callID
    let carry = try await daemon.carry(daemon.expectOffer())
    await owner.stream.cancel()
    try await carry.send(blocks: 0..<100)
    try await carry.exit(stdout: UInt64(100 * block))
    let follower = try await rig.client().follow(id)
    guard case .gap(let gap) = try await follower.next().message else {
      Issue.record("no gap")
      return
    }
    #expect(gap.offset == 0 && gap.length >= 80 * UInt64(block))
    let first = Int(gap.length) / block
    #expect(Int(gap.length) % block == 0)
    try await expectOutput(follower, blocks: first..<100)
    _ = try await follower.expectExit()
    #expect(await rig.broker.statistics.spool?.segmentsUsed == 4)
    await rig.close()
  }

  @Test func `beyond its quota a command waits for its owner, else`() async throws {
    let folder = try SpoolFolder()
    let store = try folder.store { $0.callBytes = 1 << 20 }
    let rig = try await Rig { $0.spool = store }
    let daemon = try await rig.daemon()
    let (owner, _) = try await start(rig) { $0.log = .keep }
    let carry = try await daemon.carry(daemon.expectOffer())
    let writing = Task {
      try await carry.send(blocks: 0..<100)
      try await carry.exit(stdout: UInt64(100 * block))
    }
    // The owner reads nothing; then all.
    while await rig.broker.statistics.spool?.counters.stalls == 0 { await Task.yield() }
    try await expectOutput(owner, blocks: 0..<100)
    #expect(try await owner.expectExit().outcome == .exited)
    try await writing.value
    await rig.close()
  }

  @Test func `calls that ended longest ago make room for others`() async throws {
    let folder = try SpoolFolder()
    let store = try folder.store { $0.allBytes = 2 << 20 }
    let rig = try await Rig { $0.spool = store }
    let daemon = try await rig.daemon()
    var ids: [String] = []
    for _ in 0..<4 {
      let (owner, id) = try await start(rig)
      ids.append(id)
      let carry = try await daemon.carry(daemon.expectOffer())
      await owner.stream.cancel()
      try await carry.send(blocks: 0..<12)
      try await carry.exit(stdout: UInt64(12 * block))
    }
    let last = try await rig.client().follow(ids[3])
    try await expectOutput(last, blocks: 0..<12)
    let first = try await rig.client().follow(ids[0])
    guard case .gap(let gap) = try await first.next().message else {
      Issue.record("no gap")
      return
    }
    #expect(gap.length == UInt64(12 * block))
    let spool = try #require(await rig.broker.statistics.spool)
    #expect(spool.segmentsUsed <= 8)
    #expect(spool.counters.evicted >= 2)
    #expect(try folder.contents().count <= 9)
    await rig.close()
  }

  /// Nobody can make a file there; its owner takes everything all the same, and others are as ever.
  @Test func `a full disk stops nobody who reads, and what comes later is kept`() async throws {
    let folder = try SpoolFolder()
    let store = try folder.store()
    let rig = try await Rig { $0.spool = store }
    let daemon = try await rig.daemon()
    try folder.state.removeFolder("spool")
    let (owner, id) = try await start(rig) { $0.log = .keep }
    let carry = try await daemon.carry(daemon.expectOffer())
    let writing = Task { try await carry.send(blocks: 0..<50) }
    try await expectOutput(owner, blocks: 0..<50)
    try await writing.value
    #expect(await rig.broker.statistics.spool?.counters.stalls == 1)
    #expect(await rig.broker.statistics.spool?.counters.writeFailures ?? 0 > 0)
    try folder.state.makeFolder("spool")
    let before = await rig.broker.statistics.spool?.counters.writtenBytes ?? 0
    let more = Task {
      try await carry.send(blocks: 50..<100)
      try await carry.exit(stdout: UInt64(100 * block))
    }
    try await expectOutput(owner, blocks: 50..<100)
    _ = try await owner.expectExit()
    try await more.value
    #expect(await rig.broker.statistics.spool?.counters.writtenBytes ?? 0 > before)
    let follower = try await rig.client().follow(id)
    var end: UInt64 = 0
    while end < UInt64(100 * block) {
      switch try await follower.next().message {
      case .gap(let gap):
        #expect(gap.offset == end)
        end += gap.length
      case .chunk(let chunk):
        #expect(chunk.offset == end)
        #expect(Array(chunk.data) == pattern(Int(end)..<Int(end) + chunk.data.count))
        end += UInt64(chunk.data.count)
      default: break
      }
    }
    await rig.close()
  }

  /// As much as its daemon may send without the plane's word that it is kept.
  @Test func `one that ends while the disk is full is whole once there is room`() async throws {
    let folder = try SpoolFolder()
    let store = try folder.store()
    let rig = try await Rig { $0.spool = store }
    let daemon = try await rig.daemon()
    let call = try await chatCall(rig, "chat_one", isDetached: true)
    let carry = try await daemon.carry(daemon.expectOffer())
    await call.leave()
    // One file is there, which holds three blocks.
    try await carry.send(blocks: 0..<3)
    while await rig.broker.statistics.spool?.counters.syncs == 0 { await Task.yield() }
    try StateFolder(folder.state.path(of: "spool")).move(to: folder.state.path(of: "full"))
    let ending = Task {
      try await carry.send(blocks: 3..<4)
      try await carry.exit(stdout: UInt64(4 * block))
    }
    while await rig.broker.liveCallCount() > 0 { await Task.yield() }
    while await rig.broker.statistics.spool?.counters.stalls == 0 { await Task.yield() }
    try StateFolder(folder.state.path(of: "full")).move(to: folder.state.path(of: "spool"))
    try await ending.value
    let follower = try await rig.client().follow(call.callID)
    try await expectOutput(follower, blocks: 0..<4)
    #expect(try await follower.expectExit().outcome == .exited)
    #expect(await rig.broker.statistics.spool?.counters.droppedBytes == 0)
    await rig.close()
  }

  /// A chat's call, as its turn makes it.
  private func chatCall(_ rig: Rig, _ chat: String, isDetached: Bool = false) async throws
    -> Invocation
  {
    var order = CallOrder(
      principal: .test("ann"),
      workspace: "one",
      tool: "process.exec",
      request: []
    )
    (order.isKept, order.isDetached) = (true, isDetached)
    order.origin = CallOrigin(chat: chat, turn: 1, step: 1, cause: 0)
    return try await rig.broker.invoke(order)
  }

  /// The disk holds a write up, and nobody has room for its bytes twice.
  @Test(arguments: [false, true]) func `a call whose output is erased goes on`(isOrphaned: Bool)
    async throws
  {
    let folder = try SpoolFolder()
    let store = try folder.store { $0.threads = 1 }
    let rig = try await Rig { $0.spool = store }
    let daemon = try await rig.daemon()
    let call = try await chatCall(rig, "chat_one", isDetached: isOrphaned)
    let carry = try await daemon.carry(daemon.expectOffer())
    let reading = Task {
      guard !isOrphaned else { return await call.leave() }
      while try await call.next() != nil {}
    }
    let gate = DispatchSemaphore(value: 0)
    rig.broker.loop.execute { store.run({ gate.wait() }, then: { _ in }) }
    try await carry.send(blocks: 0..<3)
    while await rig.broker.spoolWork() < 2 { await Task.yield() }
    let (erasing, erased) = AsyncStream<Void>.makeStream()
    rig.broker.loop.execute { [board = rig.broker.board] in
      board.calls[call.callID]?.keeper?.erase { erased.finish() }
      gate.signal()
    }
    for await _ in erasing {}
    try await carry.send(blocks: 3..<11)
    try await carry.exit(stdout: UInt64(11 * block))
    try await reading.value
    await rig.close()
  }

  @Test func `erased output is in no file and no memory any more`() async throws {
    let folder = try SpoolFolder()
    let store = try folder.store()
    let rig = try await Rig { $0.spool = store }
    let daemon = try await rig.daemon()
    let marker = Array("a secret that was read aloud".utf8)
    var ids: [String] = []
    for chat in ["chat_one", "chat_two"] {
      let invocation = try await chatCall(rig, chat)
      ids.append(invocation.callID)
      let carry = try await daemon.carry(daemon.expectOffer())
      try await carry.send(stdout: marker, at: 0)
      try await carry.send {
        $0.exit.outcome = .exited
        $0.exit.response = Data(marker)
        $0.exit.error.message = String(decoding: marker, as: UTF8.self)
        $0.exit.totals = [total(.stdout, UInt64(marker.count))]
      }
      async let isOver: Void = carry.over()
      while try await invocation.next() != nil {}
      try await isOver
    }
    func copies() throws -> Int {
      try folder.contents().count { String(decoding: $0, as: UTF8.self).contains("read aloud") }
    }
    #expect(try copies() == 2)
    await rig.broker.eraseOutput(ofChat: "chat_one")
    #expect(try copies() == 1)
    let gone = try await rig.client().follow(ids[0])
    guard case .gap(let gap) = try await gone.next().message else {
      Issue.record("no gap")
      return
    }
    #expect(gap.length == UInt64(marker.count))
    let end = try await gone.expectExit()
    #expect(end.outcome == .exited && end.response.isEmpty && end.error.message.isEmpty)
    #expect(end.totals.map(\.bytes) == [UInt64(marker.count)])
    let kept = try await rig.client().follow(ids[1])
    #expect(try await kept.readOutput(marker.count) == marker)
    #expect(try await Array(kept.expectExit().response) == marker)
    await rig.close()
  }
}
