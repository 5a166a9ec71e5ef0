import Calls
import TestSupport
import Testing

/// A log with the rule `keep`, and a disk that is a table of what was written.
struct KeptLog {
  static let segment = CallSpool.leastSegment
  var log: CallLog
  var disk: [UInt32: [(offset: Int, record: SpoolRecord)]] = [:]
  private var nextSlot = 0

  init(window: Int = 0, quota: Int = .max / 2) {
    log = CallLog(window: window, spool: CallSpool(segmentBytes: Self.segment, quota: quota))
  }

  /// Output of one stream: its data is a function of its place.
  static func data(_ stream: CallStream, _ range: Range<UInt64>) -> [UInt8] {
    range.map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8 &+ UInt64(stream.rawValue)) }
  }

  mutating func append(_ stream: CallStream, _ count: UInt64) throws {
    let start = log.ends[stream]
    let data = Self.data(stream, start..<start + count)
    let message = Chunk.message(stream: stream, offset: start, data: data[...])
    try log.append(message, Chunk(message: message, direction: .fromTool), cost: Int(count))
  }

  /// Writes what fits into one segment; opens another where none fits.
  ///
  /// - Returns: the credit that came back.
  mutating func write() -> Int {
    guard log.hasMoreToHand else { return 0 }
    if !log.nextFits {
      guard log.spool?.isFull == false else { return 0 }
      nextSlot += 1
      log.openSegment(slot: nextSlot, nonce: UInt64(nextSlot))
    }
    guard let before = log.spool?.segments.last else { return 0 }
    var offset = before.bytes
    for record in log.handOver() {
      disk[before.number, default: []].append((offset, record))
      offset += CallSpool.recordBytes + record.spoolBytes
    }
    return log.written(before.number, upTo: offset)
  }

  /// A write that did not come to pass.
  mutating func failToWrite() {
    guard log.hasMoreToHand, log.nextFits, let earlier = log.spool else { return }
    let handed = log.handedEntries
    _ = log.handOver()
    log.takeBack(to: earlier, handed: handed)
  }

  /// Another plane goes on with what was written; the daemon sends the rest again.
  mutating func startAnew(_ window: Int, _ quota: Int) {
    guard let segments = log.spool?.segments, let last = segments.last else { return }
    let spool = CallSpool(segmentBytes: Self.segment, quota: quota, found: segments)
    log = CallLog(window: window, spool: spool, ends: last.ends)
  }

  mutating func sync() { log.synced(before: log.passed) }

  /// At most `count` records of a page.
  func read(_ place: SpoolPlace, count: Int = 3) -> SpoolPage {
    let all = disk[place.segment.number] ?? []
    let rest = all.filter { $0.offset >= place.offset && $0.offset < place.segment.written }
    let records = rest.prefix(count)
    let next = records.last.map { $0.offset + CallSpool.recordBytes + $0.record.spoolBytes }
    return SpoolPage(place: place, records: records.map(\.record), next: next)
  }

  /// All that a reader gets now, by stream, and what is lost to it.
  func readAll(_ cursor: inout CallLog.Cursor) -> (bytes: [CallStream: [UInt8]], lost: [LostBytes])
  {
    var bytes: [CallStream: [UInt8]] = [:]
    var lost: [LostBytes] = []
    while true {
      switch log.next(&cursor) {
      case .item(.message(let message, let chunk)):
        bytes[chunk.stream, default: []] += message[chunk.data]
      case .item(.gap(let gap)): lost.append(gap)
      case .onDisk(let place): cursor.take(read(place))
      case .nothing: return (bytes, lost)
      }
    }
  }
}

struct KeptLogTests {
  @Test func `what is written gives credit, and what is synced may be acknowledged`() throws {
    var kept = KeptLog()
    try kept.append(.stdout, 1_000)
    try kept.append(.stderr, 500)
    #expect(kept.log.acknowledgement(every: 1) == nil)
    #expect(kept.write() == 1_500)
    #expect(kept.log.untakenCost == 0)
    #expect(kept.log.taken == Positions())
    #expect(!kept.log.isSynced)
    kept.sync()
    #expect(kept.log.isSynced)
    #expect(kept.log.acknowledgement(every: 1 << 20)?[.stdout] == 1_000)
    #expect(kept.log.taken[.stderr] == 500)
  }

  @Test func `an owner neither gives credit nor lets the daemon forget`() throws {
    var kept = KeptLog(window: 10_000)
    try kept.append(.stdout, 1_000)
    var owner = CallLog.Cursor()
    #expect(kept.readAll(&owner).bytes[.stdout]?.count == 1_000)
    #expect(kept.log.take(passedBy: owner) == 0)
    #expect(kept.log.taken == Positions())
    #expect(kept.log.isTaken)
  }

  @Test func `a reader within the window is served from memory`() throws {
    var kept = KeptLog(window: 10_000)
    try kept.append(.stdout, 5_000)
    _ = kept.write()
    var cursor = CallLog.Cursor()
    guard case .item = kept.log.next(&cursor) else {
      Issue.record("it was sent to the disk")
      return
    }
  }

  /// Readers begin anywhere, and pages end anywhere.
  @Test(arguments: [0, 1, 999, 1_000, 1_001, 150_000, 399_999, 400_000] as [UInt64])
  func `a reader behind the window gets every byte once`(start: UInt64) throws {
    var kept = KeptLog(window: 20_000)
    while kept.log.ends[.stdout] < 400_000 {
      try kept.append(.stdout, 1_000)
      try kept.append(.stderr, 300)
      if kept.log.ends[.stdout] % 7_000 == 0 { while kept.write() > 0 {} }
    }
    while kept.write() > 0 {}
    #expect(kept.log.heldBytes <= 20_000)
    #expect((kept.log.spool?.segments.count ?? 0) > 3)
    var positions = Positions()
    positions[.stdout] = start
    var cursor = CallLog.Cursor(from: positions)
    let (bytes, lost) = kept.readAll(&cursor)
    #expect(lost.isEmpty)
    #expect(bytes[.stdout, default: []] == KeptLog.data(.stdout, start..<400_000))
    #expect(bytes[.stderr] == KeptLog.data(.stderr, 0..<120_000))
    // And goes on with what comes.
    try kept.append(.stdout, 10)
    #expect(kept.readAll(&cursor).bytes == [.stdout: KeptLog.data(.stdout, 400_000..<400_010)])
  }

  @Test func `a reader that begins far on does not read what is before`() throws {
    var kept = KeptLog()
    for _ in 0..<400 {
      try kept.append(.stdout, 1_000)
      _ = kept.write()
    }
    var positions = Positions()
    positions[.stdout] = 390_000
    var cursor = CallLog.Cursor(from: positions)
    guard case .onDisk(let place) = kept.log.next(&cursor) else {
      Issue.record("it is not on disk")
      return
    }
    #expect(place.segment.starts[.stdout] > 300_000)
  }

  @Test func `what was dropped for the quota is a gap, and nothing else is`() throws {
    var kept = KeptLog(quota: 2 * KeptLog.segment)
    for _ in 0..<400 {
      try kept.append(.stdout, 1_000)
      while kept.write() == 0 {
        #expect(kept.log.spool?.isFull == true)
        #expect(kept.log.dropOldest() != nil)
      }
    }
    let start = try #require(kept.log.spool?.segments.first?.starts[.stdout])
    #expect(start > 0)
    var cursor = CallLog.Cursor()
    let (bytes, lost) = kept.readAll(&cursor)
    #expect(lost == [LostBytes(stream: .stdout, offset: 0, count: start)])
    #expect(bytes[.stdout] == KeptLog.data(.stdout, start..<400_000))
  }

  @Test func `the oldest may go once the owner has it`() throws {
    var kept = KeptLog(quota: 2 * KeptLog.segment)
    while kept.log.spool?.isFull != true {
      try kept.append(.stdout, 1_000)
      _ = kept.write()
    }
    #expect(!kept.log.ownerHasOldest)
    var positions = Positions()
    positions[.stdout] = try #require(kept.log.spool?.segments.first?.ends[.stdout])
    _ = try kept.log.take(before: positions)
    #expect(kept.log.ownerHasOldest)
  }

  @Test func `what could not be written is handed over again`() throws {
    var kept = KeptLog()
    try kept.append(.stdout, 1_000)
    _ = kept.write()
    try kept.append(.stdout, 1_000)
    let earlier = try #require(kept.log.spool)
    let handed = kept.log.handedEntries
    #expect(kept.log.handOver().count == 1)
    #expect(!kept.log.hasMoreToHand)
    kept.log.takeBack(to: earlier, handed: handed)
    #expect(kept.write() == 1_000)
    var cursor = CallLog.Cursor()
    #expect(kept.readAll(&cursor).bytes[.stdout] == KeptLog.data(.stdout, 0..<2_000))
  }

  @Test func `what is on its way to the disk is not dropped with its stream`() throws {
    var kept = KeptLog()
    try kept.append(.stdout, 1_000)
    kept.log.openSegment(slot: 1, nonce: 1)
    #expect(kept.log.handOver().count == 1)
    try kept.append(.stdout, 500)
    #expect(kept.log.attachmentEnded(keeping: 0) == 0)
    #expect(kept.log.ends[.stdout] == 1_000)
  }

  @Test func `without room, what the owner has is passed over, and a gap for others`() throws {
    var kept = KeptLog()
    try kept.append(.stdout, 1_000)
    try kept.append(.stdout, 1_000)
    var positions = Positions()
    positions[.stdout] = 1_000
    _ = try kept.log.take(before: positions)
    let passed = kept.log.passOver(all: false)
    #expect(passed.credit == 1_000 && passed.bytes == 1_000)
    #expect(kept.write() == 1_000)
    kept.sync()
    #expect(kept.log.isSynced)
    var cursor = CallLog.Cursor()
    let (bytes, lost) = kept.readAll(&cursor)
    #expect(lost == [LostBytes(stream: .stdout, offset: 0, count: 1_000)])
    #expect(bytes[.stdout] == KeptLog.data(.stdout, 1_000..<2_000))
  }

  @Test func `a disk that fails leaves the owner to take`() throws {
    var kept = KeptLog(window: 10_000)
    try kept.append(.stdout, 1_000)
    _ = kept.write()
    kept.sync()
    try kept.append(.stdout, 1_000)
    #expect(kept.log.stopKeeping() == 0)
    var owner = CallLog.Cursor()
    #expect(kept.readAll(&owner).bytes[.stdout]?.count == 2_000)
    #expect(kept.log.take(passedBy: owner) == 1_000)
    #expect(kept.log.acknowledgement(every: 1)?[.stdout] == 2_000)
  }

  @Test func `what another plane left is read, and what comes follows on it`() throws {
    var kept = KeptLog()
    for _ in 0..<300 {
      try kept.append(.stdout, 1_000)
      while kept.write() > 0 {}
    }
    var next = kept
    let spool = CallSpool(
      segmentBytes: KeptLog.segment,
      quota: .max / 2,
      found: try #require(kept.log.spool?.segments)
    )
    next.log = CallLog(window: 0, spool: spool, ends: kept.log.ends)
    #expect(next.log.taken[.stdout] == 300_000)
    try next.append(.stdout, 1_000)
    // Nothing is written behind what may be torn.
    #expect(!next.log.nextFits)
    while next.write() > 0 {}
    var cursor = CallLog.Cursor()
    let (bytes, lost) = next.readAll(&cursor)
    #expect(lost.isEmpty)
    #expect(bytes[.stdout] == KeptLog.data(.stdout, 0..<301_000))
  }

  @Test func `a page that cannot be read is a gap up to the next segment`() throws {
    var kept = KeptLog()
    while (kept.log.spool?.segments.count ?? 0) < 3 {
      try kept.append(.stdout, 1_000)
      _ = kept.write()
    }
    let second = try #require(kept.log.spool?.segments[1])
    kept.disk[second.number] = []
    var cursor = CallLog.Cursor()
    let (bytes, lost) = kept.readAll(&cursor)
    let (start, end) = (second.starts[.stdout], second.ends[.stdout])
    #expect(lost == [LostBytes(stream: .stdout, offset: start, count: end - start)])
    #expect(bytes[.stdout]?.count == Int(kept.log.ends[.stdout] - (end - start)))
  }

  @Test func `what was given up is lost to readers, from memory too`() throws {
    var kept = KeptLog(window: 10_000)
    try kept.append(.stdout, 1_000)
    _ = kept.write()
    #expect(kept.log.dropSpool().count == 1)
    #expect(kept.log.heldBytes == 0)
    var cursor = CallLog.Cursor()
    #expect(kept.readAll(&cursor).lost == [LostBytes(stream: .stdout, offset: 0, count: 1_000)])
  }

  /// Output, writes, syncs, lost streams, failed writes, readers and restarts, in an order drawn by lot. No
  /// reader gets a byte that is not the one at its place, or none twice; nothing is lost but what was dropped.
  @Test(arguments: 0..<20 as Range<UInt64>) func `in any order, each byte comes once`(
    seed: UInt64
  ) throws {
    var random = Seeded(seed)
    let isBounded = Bool.random(using: &random)
    let quota = isBounded ? 3 * KeptLog.segment : .max / 2
    let window = Int.random(in: 0...100_000, using: &random)
    var kept = KeptLog(window: window, quota: quota)
    var reader = Reader()
    for _ in 0..<500 {
      switch Int.random(in: 0..<20, using: &random) {
      case 0..<9:
        let stream: CallStream = Bool.random(using: &random) ? .stdout : .stderr
        try kept.append(stream, UInt64.random(in: 1...5_000, using: &random))
      case 9..<13: _ = kept.write()
      case 13: kept.sync()
      case 14: if isBounded, kept.log.spool?.isFull == true { _ = kept.log.dropOldest() }
      case 15: kept.log.attachmentEnded(keeping: Int.random(in: 0...20_000, using: &random))
      case 16: kept.failToWrite()
      case 17 where Int.random(in: 0..<10, using: &random) == 0:
        kept.startAnew(window, quota)
        // Who followed comes back with what it has.
        reader.cursor = CallLog.Cursor(from: reader.ends)
      default: reader.read(kept, most: Int.random(in: 1...5, using: &random))
      }
    }
    while kept.log.hasMoreToHand {
      if !kept.log.nextFits, kept.log.spool?.isFull == true { _ = kept.log.dropOldest() }
      _ = kept.write()
    }
    reader.read(kept, most: .max)
    var late = Reader()
    late.read(kept, most: .max)
    for one in [reader, late] {
      #expect(one.wrong == 0)
      #expect(isBounded || one.lost == 0)
      // One that was quick may have what was dropped and did not come again yet.
      #expect(CallStream.outputs.allSatisfy { one.ends[$0] >= kept.log.ends[$0] })
    }
    #expect(late.lost + late.bytes == kept.log.ends[.stdout] + kept.log.ends[.stderr])
  }

  /// Checks each byte as it comes.
  private struct Reader {
    var cursor = CallLog.Cursor()
    var ends = Positions()
    var (bytes, lost, wrong) = (UInt64(0), UInt64(0), 0)

    mutating func read(_ kept: KeptLog, most: Int) {
      var left = most
      while left > 0 {
        left -= 1
        switch kept.log.next(&cursor) {
        case .item(.message(let message, let chunk)):
          if chunk.offset != ends[chunk.stream]
            || Array(message[chunk.data]) != KeptLog.data(chunk.stream, chunk.offset..<chunk.end)
          {
            wrong += 1
          }
          ends[chunk.stream] = chunk.end
          bytes += UInt64(chunk.data.count)
        case .item(.gap(let gap)):
          if gap.offset != ends[gap.stream] { wrong += 1 }
          ends[gap.stream] = gap.end
          lost += gap.count
        case .onDisk(let place): cursor.take(kept.read(place))
        case .nothing: return
        }
      }
    }
  }
}
