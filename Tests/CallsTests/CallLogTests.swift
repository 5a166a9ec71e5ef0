import Calls
import TestSupport
import Testing

struct CallLogTests {
  /// A log with `count` messages of 10 bytes of stdout, each costing 15 bytes of credit.
  static func log(window: Int = 1000, messages count: Int) throws -> CallLog {
    var log = CallLog(window: window)
    for number in 0..<count { try append(&log, .stdout, number * 10) }
    return log
  }

  static func append(_ log: inout CallLog, _ stream: CallStream, _ offset: Int) throws {
    let data = (offset..<offset + 10).map { UInt8(truncatingIfNeeded: $0) }
    let message = Chunk.message(stream: stream, offset: UInt64(offset), data: data[...])
    try log.append(message, Chunk(message: message, direction: .fromTool), cost: 15)
  }

  static func positions(_ stream: CallStream, _ offset: UInt64) -> Positions {
    var positions = Positions()
    positions[stream] = offset
    return positions
  }

  @Test func `a reader gets what was appended, in order`() throws {
    var log = CallLog(window: 1000)
    try Self.append(&log, .stdout, 0)
    try Self.append(&log, .stderr, 0)
    try Self.append(&log, .stdout, 10)
    var cursor = CallLog.Cursor()
    var seen: [CallStream] = []
    while case .message(_, let chunk) = log.read(&cursor) { seen.append(chunk.stream) }
    #expect(seen == [.stdout, .stderr, .stdout])
  }

  @Test func `bytes that do not follow on are refused`() throws {
    var log = try Self.log(messages: 2)
    #expect(throws: PositionError.wrongOffset(.stdout, expected: 20, got: 30)) {
      try Self.append(&log, .stdout, 30)
    }
    #expect(throws: PositionError.wrongOffset(.stdout, expected: 20, got: 10)) {
      try Self.append(&log, .stdout, 10)
    }
  }

  @Test func `what the owner did not take stays, however small the window`() throws {
    var log = try Self.log(window: 0, messages: 50)
    #expect(log.heldBytes == 500)
    #expect(log.take(entries: 20) == 300)
    #expect(log.heldBytes == 300)
    #expect(log.take(entries: 20) == 0)
  }

  @Test func `tiny chunks that were taken do not fill the window by their number`() throws {
    var log = CallLog(window: 256 * 1_024)
    for offset in 0..<10_000 {
      let message = Chunk.message(stream: .stdout, offset: UInt64(offset), data: [1])
      try log.append(message, Chunk(message: message, direction: .fromTool), cost: 10)
      #expect(log.take(entries: offset + 1) == 10)
    }
    #expect(log.heldMemory < 600_000)
    var cursor = CallLog.Cursor()
    guard case .gap(let lost) = log.read(&cursor) else {
      Issue.record("what left the window is no gap")
      return
    }
    #expect(lost.count == UInt64(10_000 - log.heldBytes))
  }

  @Test func `tiny chunks that nobody takes grow together, and readers get each byte once`() throws
  {
    var log = CallLog(window: 256 * 1_024)
    var follower = CallLog.Cursor()
    var slow = CallLog.Cursor()
    var (followed, read) = ([UInt8](), [UInt8]())
    for number in 0..<60_000 {
      let stream = number.isMultiple(of: 2) ? CallStream.stdout : .stderr
      let byte = UInt8(truncatingIfNeeded: number / 2)
      let message = Chunk.message(stream: stream, offset: UInt64(number / 2), data: [byte])
      try log.append(message, Chunk(message: message, direction: .fromTool), cost: 16)
      if number.isMultiple(of: 3) { try Self.readAll(of: log, .stdout, &follower, &followed) }
      if number.isMultiple(of: 10_000) { try Self.readAll(of: log, .stdout, &slow, &read) }
    }
    #expect(log.heldMemory < 2 * 60_000)
    #expect(log.untakenCost == 60_000 * 16)
    try Self.readAll(of: log, .stdout, &follower, &followed)
    try Self.readAll(of: log, .stdout, &slow, &read)
    let bytes = (0..<30_000).map { UInt8(truncatingIfNeeded: $0) }
    #expect(followed == bytes)
    #expect(read == bytes)
    #expect(log.take(entries: log.entryCount) == 60_000 * 16)
  }

  private static func readAll(
    of log: CallLog,
    _ stream: CallStream,
    _ cursor: inout CallLog.Cursor,
    _ bytes: inout [UInt8]
  ) throws {
    while let item = log.read(&cursor) {
      guard case .message(let message, let chunk) = item else {
        Issue.record("a gap: \(item)")
        return
      }
      #expect(try Chunk(message: message, direction: .fromTool) == chunk)
      if chunk.stream == stream { bytes += message[chunk.data] }
    }
  }

  @Test func `beyond a limit the newest that nobody took goes with its stream`() throws {
    var log = try Self.log(window: 0, messages: 10)
    var owner = CallLog.Cursor()
    var follower = CallLog.Cursor()
    for _ in 0..<4 { _ = log.read(&owner) }
    #expect(log.take(passedBy: owner) == 60)
    #expect(log.untakenCost == 90)
    while log.read(&follower) != nil {}
    for _ in 0..<4 { _ = log.read(&owner) }
    log.attachmentEnded(keeping: 40)
    #expect(log.ends[.stdout] == 60)
    #expect(log.untakenCost == 30)
    #expect(log.untakenBefore == 30)
    #expect(log.heldBytes == 20)
    // What the owner passed before is not there to be taken, and comes again.
    #expect(log.take(passedBy: owner) == 0)
    for offset in stride(from: 60, to: 110, by: 10) { try Self.append(&log, .stdout, offset) }
    var seen: [UInt64] = []
    while case .message(_, let chunk) = log.read(&owner) { seen.append(chunk.offset) }
    #expect(seen == [80, 90, 100])
    guard case .message(_, let chunk) = log.read(&follower) else {
      Issue.record("the follower has nothing to read")
      return
    }
    #expect(chunk.offset == 100)
    // Only the second stream's credit is still out.
    #expect(log.take(passedBy: owner) == 75)
    #expect(log.untakenCost == 0)
  }

  @Test func `what was acknowledged to the daemon stays, whatever the limit`() throws {
    var log = try Self.log(window: 0, messages: 4)
    log.attachmentEnded()
    try Self.append(&log, .stdout, 40)
    try log.append(LostBytes(stream: .stdout, offset: 50, count: 7), cost: 9)
    #expect(log.attachmentEnded(keeping: 0) == 7)
    #expect(log.ends[.stdout] == 40)
    #expect(log.untakenBefore == 60)
    #expect(log.take(entries: 4) == 0)
    #expect(log.untakenBefore == 0)
  }

  @Test func `gaps that nobody takes grow together`() throws {
    var log = CallLog(window: 1_000)
    for offset in 0..<10_000 {
      try log.append(LostBytes(stream: .stdout, offset: UInt64(offset), count: 1), cost: 15)
    }
    #expect(log.entryCount < 300)
    var (cursor, lost) = (CallLog.Cursor(from: Positions()), UInt64(0))
    while case .gap(let gap) = log.read(&cursor) { lost += gap.count }
    #expect(lost == 10_000)
    #expect(log.take(entries: log.entryCount) == 150_000)
  }

  @Test func `a gap's credit comes back when it was taken`() throws {
    var log = CallLog(window: 100)
    try log.append(LostBytes(stream: .stdout, offset: 0, count: 5), cost: 17)
    #expect(log.take(entries: 1) == 17)
  }

  @Test func `a follower behind the window gets a gap, then the rest`() throws {
    var log = try Self.log(window: 100, messages: 50)
    _ = log.take(entries: 50)
    var cursor = CallLog.Cursor()
    #expect(log.read(&cursor) == .gap(LostBytes(stream: .stdout, offset: 0, count: 400)))
    guard case .message(_, let chunk) = log.read(&cursor) else {
      Issue.record("no message")
      return
    }
    #expect(chunk.offset == 400)
  }

  @Test func `a follower of a stream that left the window whole gets a gap at the end`() throws {
    var log = CallLog(window: 0)
    try Self.append(&log, .stderr, 0)
    _ = log.take(entries: 1)
    var cursor = CallLog.Cursor()
    #expect(log.read(&cursor) == .gap(LostBytes(stream: .stderr, offset: 0, count: 10)))
    #expect(log.read(&cursor) == nil)
  }

  @Test func `a reader may begin within a message`() throws {
    let log = try Self.log(messages: 3)
    var cursor = CallLog.Cursor(from: Self.positions(.stdout, 13))
    guard case .message(let message, let chunk) = log.read(&cursor) else {
      Issue.record("no message")
      return
    }
    #expect(chunk.offset == 13)
    #expect(Array(message[chunk.data]) == Array(13..<20))
  }

  @Test func `an owner takes by positions, whole messages in order`() throws {
    var log = try Self.log(messages: 2)
    try Self.append(&log, .stderr, 0)
    #expect(try log.take(before: Self.positions(.stdout, 19)) == 15)
    #expect(log.taken[.stdout] == 10)
    var both = Self.positions(.stdout, 20)
    both[.stderr] = 10
    #expect(try log.take(before: both) == 30)
    #expect(throws: PositionError.beyondEnd(.stdout, end: 20, got: 21)) {
      try log.take(before: Self.positions(.stdout, 21))
    }
  }

  @Test func `acknowledgements are due every so many bytes`() throws {
    var log = try Self.log(messages: 10)
    #expect(log.acknowledgement(every: 1) == nil)
    _ = log.take(entries: 4)
    #expect(log.acknowledgement(every: 50) == nil)
    _ = log.take(entries: 5)
    #expect(log.acknowledgement(every: 50) == Self.positions(.stdout, 50))
    #expect(log.acknowledgement(every: 1) == nil)
  }

  @Test func `a reader that looks late after a drop misses nothing of what came then`() throws {
    var log = try Self.log(messages: 3)
    var follower = CallLog.Cursor()
    while log.read(&follower) != nil {}
    log.attachmentEnded(keeping: 0)
    for number in 0..<3 { try Self.append(&log, .stderr, number * 10) }
    _ = log.take(entries: 3)
    try Self.append(&log, .stderr, 30)
    var seen: [UInt64] = []
    while let item = log.read(&follower) {
      guard case .message(_, let chunk) = item else {
        Issue.record("a gap: \(item)")
        break
      }
      seen.append(chunk.offset)
    }
    #expect(seen == [0, 10, 20, 30])
  }

  @Test func `lost bytes take their place`() throws {
    var log = try Self.log(messages: 1)
    try log.append(LostBytes(stream: .stdout, offset: 10, count: 90), cost: 7)
    try Self.append(&log, .stdout, 100)
    var cursor = CallLog.Cursor(from: Self.positions(.stdout, 50))
    #expect(log.read(&cursor) == .gap(LostBytes(stream: .stdout, offset: 50, count: 50)))
    #expect(log.take(entries: 3) == 37)
    #expect(throws: PositionError.self) {
      try log.append(LostBytes(stream: .stdout, offset: 110, count: .max), cost: 0)
    }
  }
}
