internal import Calls
internal import Host

/// The bytes of a spool's segment: a header, then records, each with a checksum that is seeded with the
/// segment's nonce. Numbers are little-endian.
///
///     header, 256 bytes                        record
///     0   "GHSPOOL1"                           0   checksum of what follows, 8
///     8   checksum of what follows, 8          8   length of the content, 4
///     16  nonce, 8                             12  kind, 4: 1 chunk, 2 gap
///     24  number, 4; the one before, 4         16  the entry's number, 8
///     32  bytes used of the one before, 8      24  a message as the daemon framed it, or a gap:
///     40  first entry, 8                           stream 1, offset 8, count 8
///     48  stdout, stderr, pty at its start, 8 each
///     72  the call's id: length 1, 64 at most
///     137 its chat's id: likewise
enum SegmentFormat {
  private static let magic = Array("GHSPOOL1".utf8)
  private static let chunk: UInt64 = 1
  private static let gap: UInt64 = 2
  private static let maxName = 64

  /// A segment as its header has it; `end` and what follows is not known.
  struct Header {
    let segment: CallSpool.Segment
    let call: String
    /// Empty: of none.
    let chat: String
  }

  static func header(_ segment: CallSpool.Segment, call: String, chat: String) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(CallSpool.headerBytes)
    bytes.append(segment.nonce, 8)
    bytes.append(UInt64(segment.number), 4)
    bytes.append(UInt64(segment.previous), 4)
    bytes.append(UInt64(segment.previousBytes), 8)
    bytes.append(UInt64(segment.first), 8)
    for stream in CallStream.outputs { bytes.append(segment.starts[stream], 8) }
    for name in [call, chat] {
      let text = Array(name.utf8.prefix(maxName))
      bytes.append(UInt8(text.count))
      bytes += text + [UInt8](repeating: 0, count: maxName - text.count)
    }
    bytes += [UInt8](repeating: 0, count: CallSpool.headerBytes - 16 - bytes.count)
    let sum = Checksum.of(bytes, in: bytes.indices, seed: segment.nonce)
    var header = magic
    header.append(sum, 8)
    return header + bytes
  }

  /// Nil for what is none, or is damaged.
  static func header(_ bytes: [UInt8], slot: Int) -> Header? {
    guard bytes.count >= CallSpool.headerBytes, Array(bytes[..<8]) == magic else { return nil }
    let nonce = bytes.number(16, 8)
    let sum = Checksum.of(bytes, in: 16..<CallSpool.headerBytes, seed: nonce)
    guard bytes.number(8, 8) == sum,
      let previousBytes = Int(exactly: bytes.number(32, 8)),
      let first = Int(exactly: bytes.number(40, 8)),
      let call = bytes.name(72), let chat = bytes.name(137)
    else { return nil }
    var starts = Positions()
    for (index, stream) in CallStream.outputs.enumerated() {
      starts[stream] = bytes.number(48 + index * 8, 8)
    }
    let segment = CallSpool.Segment(
      slot: slot,
      nonce: nonce,
      number: UInt32(truncatingIfNeeded: bytes.number(24, 4)),
      previous: UInt32(truncatingIfNeeded: bytes.number(28, 4)),
      previousBytes: previousBytes,
      first: first,
      starts: starts
    )
    return Header(segment: segment, call: call, chat: chat)
  }

  static func append(_ record: SpoolRecord, to bytes: inout [UInt8], nonce: UInt64) {
    let start = bytes.count
    bytes.append(0, 8)
    bytes.append(UInt64(record.spoolBytes), 4)
    switch record.item {
    case .message(let message, _):
      bytes.append(chunk, 4)
      bytes.append(UInt64(record.index), 8)
      bytes += message
    case .gap(let lost):
      bytes.append(gap, 4)
      bytes.append(UInt64(record.index), 8)
      bytes.append(lost.stream.rawValue)
      bytes.append(lost.offset, 8)
      bytes.append(lost.count, 8)
    }
    let sum = Checksum.of(bytes, in: (start + 8)..<bytes.count, seed: nonce)
    for index in 0..<8 { bytes[start + index] = UInt8(truncatingIfNeeded: sum >> (8 * index)) }
  }

  /// The whole records from `start` on, and where the next one would begin.
  static func records(
    in bytes: [UInt8],
    from start: Int = 0,
    nonce: UInt64
  ) -> (records: [SpoolRecord], end: Int) {
    var records: [SpoolRecord] = []
    var next = start
    while let (record, end) = record(in: bytes, at: next, nonce: nonce) {
      records.append(record)
      next = end
    }
    return (records, next)
  }

  private static func record(
    in bytes: [UInt8],
    at start: Int,
    nonce: UInt64
  ) -> (SpoolRecord, end: Int)? {
    let content = start + CallSpool.recordBytes
    guard content <= bytes.count else { return nil }
    let end = content + Int(bytes.number(start + 8, 4))
    guard end <= bytes.count,
      bytes.number(start, 8) == Checksum.of(bytes, in: (start + 8)..<end, seed: nonce),
      let index = Int(exactly: bytes.number(start + 16, 8)),
      let item = item(bytes, content..<end, kind: bytes.number(start + 12, 4))
    else { return nil }
    return (SpoolRecord(index: index, item: item), end)
  }

  private static func item(_ bytes: [UInt8], _ range: Range<Int>, kind: UInt64) -> CallLog.Item? {
    if kind == chunk {
      let message = Array(bytes[range])
      guard let chunk = try? Chunk(message: message, direction: .fromTool) else { return nil }
      return .message(message, chunk)
    }
    guard kind == gap, range.count == SpoolRecord.gapBytes,
      let stream = CallStream(rawValue: bytes[range.lowerBound]), stream.direction == .fromTool
    else { return nil }
    let offset = bytes.number(range.lowerBound + 1, 8)
    let count = bytes.number(range.lowerBound + 9, 8)
    let (sum, overflow) = offset.addingReportingOverflow(count)
    guard !overflow, sum <= UInt64(Int64.max), count > 0 else { return nil }
    return .gap(LostBytes(stream: stream, offset: offset, count: count))
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ number: UInt64, _ bytes: Int) {
    for index in 0..<bytes { append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
  }

  fileprivate func number(_ start: Int, _ bytes: Int) -> UInt64 {
    var number: UInt64 = 0
    for index in 0..<bytes { number |= UInt64(self[start + index]) << (8 * index) }
    return number
  }

  fileprivate func name(_ start: Int) -> String? {
    let count = Int(self[start])
    guard count <= 64 else { return nil }
    return String(validating: self[(start + 1)..<(start + 1 + count)], as: UTF8.self)
  }
}
