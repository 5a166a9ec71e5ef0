internal import Crypto

/// Why bytes are no canonical message.
struct CanonicalError: Error, Equatable {
  let message: String

  init(_ message: String) { self.message = message }
}

/// Puts a canonical message together.
struct CanonicalWriter {
  private(set) var bytes: [UInt8] = []

  init(capacity: Int) { bytes.reserveCapacity(capacity) }

  mutating func write(_ field: UInt8, _ number: UInt64) {
    guard number > 0 else { return }
    append(UInt64(field) << 3)
    append(number)
  }

  mutating func write(_ field: UInt8, _ content: [UInt8]) {
    guard !content.isEmpty else { return }
    append(UInt64(field) << 3 | 2)
    append(UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  mutating func write(_ field: UInt8, _ text: String) {
    let content = text.utf8
    guard !content.isEmpty else { return }
    append(UInt64(field) << 3 | 2)
    append(UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  mutating func write(_ field: UInt8, _ hash: Hash256) {
    append(UInt64(field) << 3 | 2)
    append(UInt64(SHA256.byteCount))
    hash.append(to: &bytes)
  }

  /// A message of `count` bytes in a field; its own fields are to follow.
  mutating func begin(_ field: UInt8, count: Int) {
    append(UInt64(field) << 3 | 2)
    append(UInt64(count))
  }

  /// Fields that were written before.
  mutating func append(_ fields: [UInt8]) { bytes.append(contentsOf: fields) }

  /// How long a number is, written.
  static func bytes(of number: UInt64) -> Int {
    max(1, (64 - number.leadingZeroBitCount + 6) / 7)
  }

  private mutating func append(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

/// Asks for one field after the other, in their order; one that is not there has its default.
struct CanonicalReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  mutating func number(_ field: UInt8) throws(CanonicalError) -> UInt64 {
    guard try take(UInt64(field) << 3) else { return 0 }
    let number = try varint()
    guard number > 0 else { throw CanonicalError("field \(field) at its default") }
    return number
  }

  /// Nil when it is not there.
  mutating func bytes(_ field: UInt8) throws(CanonicalError) -> ArraySlice<UInt8>? {
    guard try take(UInt64(field) << 3 | 2) else { return nil }
    let count = try varint()
    guard count > 0, count <= UInt64(rest.count) else {
      throw CanonicalError("field \(field) of \(count) bytes")
    }
    defer { rest = rest.dropFirst(Int(count)) }
    return rest.prefix(Int(count))
  }

  mutating func text(_ field: UInt8) throws(CanonicalError) -> String {
    guard let bytes = try bytes(field) else { return "" }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CanonicalError("field \(field) is not UTF-8")
    }
    return text
  }

  func finish() throws(CanonicalError) {
    guard rest.isEmpty else { throw CanonicalError("\(rest.count) bytes that belong to no field") }
  }

  /// Whether the next field has this tag; it is passed then.
  private mutating func take(_ tag: UInt64) throws(CanonicalError) -> Bool {
    let before = rest
    guard !rest.isEmpty, try varint() == tag else {
      rest = before
      return false
    }
    return true
  }

  private mutating func varint() throws(CanonicalError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, through: 63, by: 7) {
      guard let byte = rest.popFirst() else { throw CanonicalError("a message that is cut") }
      value |= UInt64(byte & 0x7f) << UInt64(shift)
      guard byte < 0x80 else { continue }
      // A last byte of zero adds nothing; a tenth byte holds one bit.
      guard byte != 0 || shift == 0, shift < 63 || byte == 1 else { break }
      return value
    }
    throw CanonicalError("a number that is not as short as can be")
  }
}
