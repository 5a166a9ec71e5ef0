/// A message with an `Exit`, read in one walk: a `CarryRequest`, and with the same field number an
/// `InvokeResponse` or `FollowResponse`, so that it can be forwarded as it is.
package struct ExitMessage: Sendable, Equatable {
  package let bytes: [UInt8]
  package private(set) var outcome = Outcome.exited
  package private(set) var code: Int32 = 0
  /// What the daemon counted of each stream.
  package private(set) var totals: [(stream: CallStream, bytes: UInt64)] = []

  package static func == (one: ExitMessage, other: ExitMessage) -> Bool {
    one.bytes == other.bytes
  }

  /// Nil for any other message, and for an exit that is not written in the plain way, has an error
  /// text or an unknown field: that one is for a protobuf library.
  package init?(_ message: [UInt8]) {
    bytes = message
    var reader = FieldReader(next: 0, end: message.count)
    do {
      guard try reader.byte(of: message) == 0x1a,
        try reader.length(of: message) == message.count - reader.next,
        try readFields(&reader)
      else { return nil }
    } catch {
      return nil
    }
  }

  private mutating func readFields(_ reader: inout FieldReader) throws(ChunkError) -> Bool {
    var latest: UInt8 = 0
    var outcome: Outcome?
    while reader.next < reader.end {
      let tag = try reader.byte(of: bytes)
      // In the order of their numbers, so none comes twice; but there are several totals.
      guard tag > latest || tag == 0x32 && latest == 0x32 else { return false }
      latest = tag
      switch tag {
      case 0x08: outcome = Outcome(rawValue: UInt8(clamping: try reader.varint(of: bytes)))
      case 0x10: code = Int32(truncatingIfNeeded: try reader.varint(of: bytes))
      case 0x18, 0x38, 0x40: _ = try reader.varint(of: bytes)
      case 0x22: _ = try reader.bytes(of: bytes)
      case 0x32: guard try readTotal(try reader.bytes(of: bytes)) else { return false }
      default: return false
      }
    }
    guard let outcome else { return false }
    self.outcome = outcome
    return true
  }

  private mutating func readTotal(_ range: Range<Int>) throws(ChunkError) -> Bool {
    var reader = FieldReader(next: range.lowerBound, end: range.upperBound)
    var latest: UInt8 = 0
    var stream: CallStream?
    var count: UInt64 = 0
    while reader.next < reader.end {
      let tag = try reader.byte(of: bytes)
      guard tag > latest else { return false }
      latest = tag
      switch tag {
      case 0x08: stream = CallStream(rawValue: UInt8(clamping: try reader.varint(of: bytes)))
      case 0x10: count = try reader.varint(of: bytes)
      case 0x1a: _ = try reader.bytes(of: bytes)
      default: return false
      }
    }
    guard let stream else { return false }
    totals.append((stream, count))
    return true
  }
}
