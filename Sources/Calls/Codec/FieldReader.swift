/// A place in a protobuf message, for walks that allocate nothing and refuse what has two readings:
/// numbers that are not in their shortest form, fields beyond the end.
struct FieldReader {
  var next: Int
  let end: Int
  /// A length was read that goes beyond the end.
  private(set) var passedEnd = false

  init(next: Int, end: Int) {
    self.next = next
    self.end = end
  }

  mutating func byte(of message: [UInt8]) throws(ChunkError) -> UInt8 {
    guard next < end else { throw .truncated }
    defer { next += 1 }
    return message[next]
  }

  mutating func varint(of message: [UInt8]) throws(ChunkError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, through: 63, by: 7) {
      let byte = try byte(of: message)
      value |= UInt64(byte & 0x7f) << UInt64(shift)
      guard byte < 0x80 else { continue }
      // A last byte of zero adds nothing; a tenth byte holds one bit.
      guard byte != 0 || shift == 0, shift < 63 || byte == 1 else { throw .badVarint }
      return value
    }
    throw .badVarint
  }

  /// A length, whatever there is behind it.
  mutating func length(of message: [UInt8]) throws(ChunkError) -> Int {
    guard let length = Int(exactly: try varint(of: message)) else { throw .truncated }
    passedEnd = length > end - next
    return length
  }

  mutating func bytes(of message: [UInt8]) throws(ChunkError) -> Range<Int> {
    let length = try length(of: message)
    guard !passedEnd else { throw .truncated }
    defer { next += length }
    return next..<next + length
  }
}
