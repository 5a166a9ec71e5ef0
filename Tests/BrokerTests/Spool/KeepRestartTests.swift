import Calls
import FoundationEssentials
import Host
import Identity
import RPC
import Testing
import Wire

@testable import Broker

private let block = 65_536

/// What a broker finds of an earlier one's calls on disk.
@Suite(.timeLimit(.minutes(5))) struct KeepRestartTests {
  /// A call that wrote so many blocks, and its broker went away.
  private func left(
    in folder: SpoolFolder,
    blocks: Int,
    _ change: (inout SpoolOptions) -> Void = { _ in }
  ) async throws -> String {
    let store = try folder.store(change)
    let rig = try await Rig { $0.spool = store }
    let daemon = try await rig.daemon()
    let owner = try await rig.client().start(request: []) { $0.detach = true }
    let id = try await owner.expectAccepted().callID
    let carry = try await daemon.carry(daemon.expectOffer())
    try await carry.send(blocks: 0..<blocks)
    for number in 0..<blocks { _ = try await owner.readOutput(block, from: UInt64(number * block)) }
    while true {
      let written = await rig.broker.statistics.spool?.counters.writtenBytes ?? 0
      if written >= UInt64(blocks * block), await rig.broker.spoolWork() == 0 { break }
      await Task.yield()
    }
    await rig.close()
    return id
  }

  private func inherited(_ id: String, end: UInt64?) -> InheritedCall {
    var order = CallOrder(
      principal: .test("ann"),
      workspace: "one",
      tool: "process.exec",
      request: []
    )
    (order.isDetached, order.isKept) = (true, true)
    var call = InheritedCall(
      id: id,
      workspace: WorkspaceEntry(id: "ws_one", name: "one"),
      order: order,
      digest: order.digest,
      created: Int64(Date().timeIntervalSince1970 * 1_000_000),
      timeout: .seconds(600),
      intent: 7
    )
    call.instance = InstanceID(bytes: [UInt8](repeating: 1, count: 16))
    call.wasStarted = true
    if let end {
      var exit = Gatehouse_Tools_V1_Exit()
      exit.outcome = .exited
      exit.totals = [total(.stdout, end)]
      call.end = (exit, call.created)
    }
    return call
  }

  /// Another broker on the same folder, with the call as its records have it. `age`: of its end, when
  /// the last record was made before this broker.
  private func goOn(
    in folder: SpoolFolder,
    _ id: String,
    end: UInt64? = nil,
    age: Int64 = 3_600_000_000
  ) async throws -> Rig {
    let store = try folder.store()
    let found = try store.scan()
    var call = inherited(id, end: end)
    let isSettled = call.isSettled(by: call.created + age)
    call.spool = store.recover(id, in: found, isSettled: isSettled)
    store.settle(found, recovered: call.spool.map { [$0] } ?? [])
    let rig = try await Rig { $0.spool = store }
    await rig.broker.inherit([call])
    return rig
  }

  private func expectOutput(_ call: ScriptedCall, blocks: Range<Int>) async throws {
    for number in blocks {
      let start = number * block
      #expect(
        try await call.readOutput(block, from: UInt64(start)) == pattern(start..<start + block)
      )
    }
  }

  @Test func `a call that goes on is whole for who follows, from the beginning`() async throws {
    let folder = try SpoolFolder()
    let id = try await left(in: folder, blocks: 60)
    let rig = try await goOn(in: folder, id)
    let daemon = try await rig.daemon(knowing: [id])
    let resume = try await daemon.expectResume()
    #expect(resume.acknowledged == [offset(.stdout, UInt64(60 * block))])
    let carry = try await daemon.carry(id, ticket: resume.ticket)
    try await carry.send(blocks: 60..<80)
    try await carry.exit(stdout: UInt64(80 * block))
    let follower = try await rig.client().follow(id)
    try await expectOutput(follower, blocks: 0..<80)
    #expect(try await follower.expectExit().outcome == .exited)
    await rig.close()
  }

  /// A byte of what was written last, or anywhere in the last megabyte, is not as it was.
  @Test(arguments: [10, 100_000, 700_000]) func `a torn tail is cut, and comes again`(
    fromEnd: Int
  ) async throws {
    let folder = try SpoolFolder()
    let id = try await left(in: folder, blocks: 40)
    try tear(folder, id, fromEnd: fromEnd)
    let rig = try await goOn(in: folder, id)
    let daemon = try await rig.daemon(knowing: [id])
    let resume = try await daemon.expectResume()
    let have = Int(resume.acknowledged.first?.offset ?? 0)
    #expect(have % block == 0 && have < 40 * block && have >= 40 * block - fromEnd - block)
    let carry = try await daemon.carry(id, ticket: resume.ticket)
    try await carry.send(blocks: have / block..<50)
    try await carry.exit(stdout: UInt64(50 * block))
    let follower = try await rig.client().follow(id)
    try await expectOutput(follower, blocks: 0..<50)
    await rig.close()
  }

  private func tear(_ folder: SpoolFolder, _ id: String, fromEnd: Int) throws {
    let store = try folder.store()
    let segments = try #require(store.recover(id, in: store.scan(), isSettled: false)).segments
    var left = fromEnd
    for segment in segments.reversed() {
      guard left >= segment.bytes - CallSpool.headerBytes else {
        let file = try SegmentFile(
          folder.state.path(of: "spool/\(segment.slot)"),
          bytes: segment.bytes
        )
        let at = segment.bytes - 1 - left
        return try file.write([try file.read(1, at: at)[0] ^ 1], at: at)
      }
      left -= segment.bytes - CallSpool.headerBytes
    }
    Issue.record("there is no such byte")
  }

  @Test func `one that has ended is read as ever, without its daemon`() async throws {
    let folder = try SpoolFolder()
    let id = try await left(in: folder, blocks: 40)
    let rig = try await goOn(in: folder, id, end: UInt64(40 * block))
    let follower = try await rig.client().follow(id)
    try await expectOutput(follower, blocks: 0..<40)
    #expect(try await follower.expectExit().outcome == .exited)
    await rig.close()
  }

  @Test func `the rest of one that has ended comes from its daemon`() async throws {
    let folder = try SpoolFolder()
    let id = try await left(in: folder, blocks: 40)
    let rig = try await goOn(in: folder, id, end: UInt64(45 * block))
    let daemon = try await rig.daemon(knowing: [id])
    let carry = try await daemon.carry(id, ticket: daemon.expectResume().ticket)
    try await carry.send(blocks: 40..<45)
    try await carry.exit(stdout: UInt64(45 * block))
    let follower = try await rig.client().follow(id)
    try await expectOutput(follower, blocks: 0..<45)
    _ = try await follower.expectExit()
    await rig.close()
  }

  /// Its end was on disk before its output was.
  @Test(arguments: [10, 300_000])
  func `what is torn of one that ended just before a crash comes again`(fromEnd: Int)
    async throws
  {
    let folder = try SpoolFolder()
    let id = try await left(in: folder, blocks: 12)
    try tear(folder, id, fromEnd: fromEnd)
    let rig = try await goOn(in: folder, id, end: UInt64(12 * block), age: 0)
    let daemon = try await rig.daemon(knowing: [id])
    let resume = try await daemon.expectResume()
    let have = Int(resume.acknowledged.first?.offset ?? 0)
    #expect(have % block == 0 && have < 12 * block)
    let carry = try await daemon.carry(id, ticket: resume.ticket)
    try await carry.send(blocks: have / block..<12)
    try await carry.exit(stdout: UInt64(12 * block))
    let follower = try await rig.client().follow(id)
    try await expectOutput(follower, blocks: 0..<12)
    _ = try await follower.expectExit()
    await rig.close()
  }

  @Test func `what belongs to no call that is known is free for others`() async throws {
    let folder = try SpoolFolder()
    _ = try await left(in: folder, blocks: 40)
    let store = try folder.store()
    let found = try store.scan()
    #expect(found.calls.count == 1)
    store.settle(found, recovered: [])
    #expect(store.statistics.segmentsUsed == 0)
    let free = store.statistics.segmentsFree
    #expect(free >= 10)
    #expect(store.take(for: "") != nil)
    #expect(store.statistics.segmentsFree == free - 1)
  }

  @Test func `what belonged to a chat's call that is not known is removed`() async throws {
    let folder = try SpoolFolder()
    let store = try folder.store()
    let spool = CallSpool(segmentBytes: store.options.segmentBytes, quota: 1 << 20)
    var log = CallLog(window: 0, spool: spool)
    let message = Chunk.message(stream: .stdout, offset: 0, data: [1, 2, 3])
    try log.append(message, Chunk(message: message, direction: .fromTool), cost: 3)
    log.openSegment(slot: 1, nonce: 5)
    let records = log.handOver()
    let batch = SpoolDisk.Batch(
      segment: try #require(log.spool?.segments.last),
      offset: CallSpool.headerBytes,
      records: records,
      call: "call_one",
      chat: "chat_one",
      wipesRest: false,
      isNew: true,
      file: nil
    )
    _ = try store.disk.write(batch).get()
    let next = try folder.store()
    let found = try next.scan()
    #expect(found.calls == ["call_one"])
    next.settle(found, recovered: [])
    #expect(try folder.state.names(in: "spool").isEmpty)
    #expect(next.take(for: "")?.slot == 1)
  }
}

/// Bytes of a segment.
@Suite struct SegmentFormatTests {
  private static let records: [SpoolRecord] = (0..<5).map { index in
    let start = UInt64(index * 100)
    guard index != 3 else {
      return SpoolRecord(
        index: index,
        item: .gap(LostBytes(stream: .stderr, offset: 7, count: 9))
      )
    }
    let message = Chunk.message(stream: .stdout, offset: start, data: pattern(0..<100)[...])
    guard let chunk = try? Chunk(message: message, direction: .fromTool) else {
      preconditionFailure("it was made here")
    }
    return SpoolRecord(index: index, item: .message(message, chunk))
  }

  private static let bytes: [UInt8] = {
    var bytes: [UInt8] = []
    for record in records { SegmentFormat.append(record, to: &bytes, nonce: 9) }
    return bytes
  }()

  @Test func `records come back as they were`() {
    let (records, end) = SegmentFormat.records(in: Self.bytes, nonce: 9)
    #expect(records == Self.records)
    #expect(end == Self.bytes.count)
  }

  @Test func `of another use of the file there are none`() {
    #expect(SegmentFormat.records(in: Self.bytes, nonce: 8).records.isEmpty)
  }

  @Test func `cut anywhere, the whole ones are there`() {
    for count in Self.bytes.indices {
      let (records, end) = SegmentFormat.records(in: Array(Self.bytes[..<count]), nonce: 9)
      #expect(records == Array(Self.records.prefix(records.count)))
      #expect(end <= count && records.count < 5)
    }
  }

  @Test func `a changed byte ends them before it`() {
    for index in Self.bytes.indices {
      var bytes = Self.bytes
      bytes[index] ^= 0x10
      let (records, end) = SegmentFormat.records(in: bytes, nonce: 9)
      #expect(end <= index)
      #expect(records == Array(Self.records.prefix(records.count)))
    }
  }

  @Test func `a header comes back as it was, and damaged not at all`() throws {
    var starts = Positions()
    (starts[.stdout], starts[.pty]) = (5, 6)
    let segment = CallSpool.Segment(
      slot: 3,
      nonce: .max - 1,
      number: 4,
      previous: 2,
      previousBytes: 70_000,
      first: 12,
      starts: starts
    )
    let bytes = SegmentFormat.header(segment, call: "call_a", chat: "chat_b")
    #expect(bytes.count == CallSpool.headerBytes)
    let header = try #require(SegmentFormat.header(bytes, slot: 3))
    #expect(header.segment == segment)
    #expect(header.call == "call_a" && header.chat == "chat_b")
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 1
      #expect(SegmentFormat.header(damaged, slot: 3) == nil)
    }
  }
}
