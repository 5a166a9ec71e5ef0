import TestSupport
import Testing

@testable import Calls

struct StdinLogTests {
  static func log(_ lengths: [Int]) throws -> StdinLog {
    var log = StdinLog()
    for length in lengths { try append(&log, length) }
    return log
  }

  static func append(_ log: inout StdinLog, _ length: Int) throws {
    let data = [UInt8](repeating: UInt8(length & 0xff), count: length)
    let message = Chunk.message(stream: .stdin, offset: log.end, data: data[...])
    _ = try log.append(message, Chunk(message: message, direction: .toTool), cost: length)
  }

  @Test func `sends once, and again from where a new attachment says`() throws {
    var log = try Self.log([10, 20])
    try log.close(at: 30)
    #expect(log.next() != nil)
    #expect(log.next() != nil)
    #expect(log.next() == .close(at: 30))
    #expect(log.next() == nil)
    try log.rewind(to: 15)
    let rest = [UInt8](repeating: 20, count: 15)
    #expect(
      log.next() == .message(Chunk.message(stream: .stdin, offset: 15, data: rest[...]))
    )
    #expect(log.next() == .close(at: 30))
  }

  @Test func `gives credit for what was taken`() throws {
    var log = try Self.log([10, 20])
    _ = log.next()
    #expect(throws: PositionError.beyondEnd(.stdin, end: 10, got: 11)) {
      try log.acknowledge(before: 11)
    }
    #expect(try log.acknowledge(before: 9) == 0)
    #expect(try log.acknowledge(before: 10) == 10)
    #expect(throws: PositionError.beforeStart(.stdin, start: 10, got: 9)) { try log.rewind(to: 9) }
  }

  private static func take(_ log: inout StdinLog, _ range: Range<Int>) throws -> Int {
    let data = OutputRingTests.bytes(range)
    let message = Chunk.message(stream: .stdin, offset: UInt64(range.lowerBound), data: data[...])
    let chunk = try Chunk(message: message, direction: .toTool)
    return try log.append(message, chunk, cost: range.count)
  }

  /// What is sent from `start` on, checked to be the bytes of their positions.
  private static func sent(_ log: inout StdinLog, from start: Int) throws -> Int {
    var end = start
    while case .message(let message) = log.next() {
      let chunk = try Chunk(message: message, direction: .toTool)
      #expect(chunk.offset == UInt64(end))
      #expect(Array(message[chunk.data]) == OutputRingTests.bytes(end..<Int(chunk.end)))
      end = Int(chunk.end)
    }
    return end
  }

  @Test(arguments: [0, 10, 25, 30, 45], [true, false])
  func `a later plane types nothing twice`(received: Int, ownerIsFirst: Bool) throws {
    // An earlier plane had told the owner that 10 bytes were taken; the owner has sent 30.
    var log = StdinLog.inherited
    let taken = max(10, received)
    if ownerIsFirst {
      #expect(try Self.take(&log, 10..<20) == 0)
      try log.rewind(to: UInt64(taken))
    } else {
      try log.rewind(to: UInt64(taken))
      #expect(log.next() == nil)
      #expect(try Self.take(&log, 10..<20) == 0)
    }
    #expect(try Self.take(&log, 20..<30) == 0)
    #expect(try Self.take(&log, 30..<50) == 0)
    try log.close(at: 50)
    #expect(try Self.sent(&log, from: taken) == 50)
    #expect(try log.acknowledge(before: 50) == 40)
  }

  @Test func `what the tool took before its owner came back is let go at once`() throws {
    var log = StdinLog.inherited
    try log.rewind(to: 20)
    #expect(try log.acknowledge(before: 20) == 0)
    #expect(try Self.take(&log, 0..<20) == 20)
    #expect(try Self.take(&log, 20..<30) == 0)
    #expect(try Self.sent(&log, from: 20) == 30)
  }

  @Test func `an owner that comes back repeats what is here without harm`() throws {
    var log = StdinLog()
    #expect(try Self.take(&log, 0..<10) == 0)
    log.ownerLeft()
    log.ownerReturned()
    #expect(try Self.take(&log, 0..<10) == 10)
    #expect(try Self.take(&log, 5..<15) == 0)
    #expect(try Self.sent(&log, from: 0) == 15)
    #expect(throws: PositionError.self) { try Self.take(&log, 10..<20) }
  }

  @Test func `has a bound and an end`() throws {
    var log = try Self.log([65536, 65536, 65536, 65536])
    #expect(throws: PositionError.tooMuch(.stdin, limit: StdinLog.capacity)) {
      try Self.append(&log, 1)
    }
    #expect(throws: PositionError.self) { try log.close(at: 5) }
    try log.close(at: log.end)
    #expect(throws: PositionError.self) { try Self.append(&log, 1) }
  }

  private static func fill(_ log: inout StdinLog, with count: Int) throws {
    for offset in 0..<count {
      let data: [UInt8] = [UInt8(truncatingIfNeeded: offset)]
      let message = Chunk.message(stream: .stdin, offset: UInt64(offset), data: data[...])
      let chunk = try Chunk(message: message, direction: .toTool)
      #expect(try log.append(message, chunk, cost: message.count) == 0)
    }
  }

  /// What is to be sent, and in how many messages.
  private static func sent(_ log: inout StdinLog) throws -> (bytes: [UInt8], messages: Int) {
    var (bytes, messages): ([UInt8], Int) = ([], 0)
    while case .message(let message) = log.next() {
      let chunk = try Chunk(message: message, direction: .toTool)
      #expect(chunk.offset == UInt64(bytes.count))
      bytes += message[chunk.data]
      messages += 1
    }
    return (bytes, messages)
  }

  @Test func `small pieces that wait grow together, and their credit with them`() throws {
    var log = StdinLog()
    try Self.fill(&log, with: 10_000)
    let (bytes, messages) = try Self.sent(&log)
    #expect(bytes == (0..<10_000).map { UInt8(truncatingIfNeeded: $0) })
    #expect(messages < 100)
    let costs = (0..<10_000).reduce(0) { sum, offset in
      sum + Chunk.message(stream: .stdin, offset: UInt64(offset), data: [0]).count
    }
    #expect(try log.acknowledge(before: 10_000) == costs)
  }

  @Test func `what was sent grows no more`() throws {
    var log = StdinLog()
    try Self.fill(&log, with: 100)
    _ = try Self.sent(&log)
    let message = Chunk.message(stream: .stdin, offset: 100, data: [7])
    let chunk = try Chunk(message: message, direction: .toTool)
    _ = try log.append(message, chunk, cost: 1)
    #expect(log.next() == .message(message))
  }

  @Test func `nothing is left of it when the call has ended`() throws {
    var log = StdinLog()
    try Self.fill(&log, with: 200)
    log.callEnded()
    #expect(log.next() == nil)
    #expect(try log.acknowledge(before: 0) == 0)
    #expect(log.end == 200)
  }
}

struct OutputRingTests {
  static func bytes(_ range: Range<Int>) -> [UInt8] { range.map { UInt8(truncatingIfNeeded: $0) } }

  @Test func `gives every byte once, in order, whatever is acknowledged`() throws {
    var ring = OutputRing(stream: .stdout, capacity: 65536)
    var produced = 0
    var sent: UInt64 = 0
    var random = Seeded(7)
    while produced < 1_000_000 {
      let count = Int.random(in: 0...min(ring.room, 9000), using: &random)
      ring.makeRoom(for: count)
      ring.append(count)
      produced += count
      #expect(ring.end - ring.start <= 65536)
      while case .bytes(let range) = ring.read(from: sent, limit: 5000) {
        #expect(range.lowerBound == sent && range.count <= 5000 && range.lowerBound >= ring.start)
        sent = range.upperBound
      }
      try ring.acknowledge(before: UInt64.random(in: ring.start...ring.end, using: &random))
    }
    #expect(sent == UInt64(produced))
  }

  @Test func `a full ring has no room until bytes are acknowledged`() throws {
    var ring = OutputRing(stream: .stdout, capacity: 65536)
    ring.append(65536)
    #expect(ring.room == 0)
    try ring.acknowledge(before: 10)
    #expect(ring.room == 10)
    #expect(throws: PositionError.self) { try ring.acknowledge(before: 65537) }
  }

  @Test func `a full ring that spills has room for so much more`() {
    var ring = OutputRing(stream: .stdout, capacity: 65536, spill: 1_000)
    ring.append(65536)
    #expect(ring.room == 1_000)
    ring.append(1_000)
    #expect(ring.room == 0)
  }

  @Test func `dropping the oldest leaves a gap`() {
    var ring = OutputRing(stream: .pty, capacity: 65536, whenFull: .dropOldest)
    for count in [65536, 100] {
      ring.makeRoom(for: count)
      ring.append(count)
    }
    #expect(
      ring.read(from: 0) == .gap(LostBytes(stream: .pty, offset: 0, count: 100))
    )
    #expect(ring.read(from: 65536 + 100) == nil)
  }

  @Test func `goes on with what an earlier one kept`() {
    let ring = OutputRing(stream: .stdout, keeping: 10..<30)
    #expect(ring.read(from: 0) == .gap(LostBytes(stream: .stdout, offset: 0, count: 10)))
    #expect(ring.read(from: 10) == .bytes(10..<30))
  }
}
