/// Puts a protobuf message together, field by field; what proto3 leaves out at its default is up to
/// the caller.
struct FieldWriter {
  private(set) var message: [UInt8] = []

  init(capacity: Int) { message.reserveCapacity(capacity) }

  /// The message of a oneof's `field`, whose content is `count` bytes and follows.
  mutating func begin(_ field: UInt8, count: Int) {
    message.append(field << 3 | 2)
    append(UInt64(count))
  }

  mutating func write(_ field: UInt8, _ number: UInt64) {
    guard number > 0 else { return }
    message.append(field << 3)
    append(number)
  }

  mutating func write(_ field: UInt8, _ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    begin(field, count: bytes.count)
    message.append(contentsOf: bytes)
  }

  mutating func write(_ field: UInt8, _ text: String) {
    let bytes = text.utf8
    guard !bytes.isEmpty else { return }
    begin(field, count: bytes.count)
    message.append(contentsOf: bytes)
  }

  private mutating func append(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      message.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    message.append(UInt8(rest))
  }

  /// Bytes that a field with `count` bytes of content takes; 0 without content.
  static func size(bytes count: Int) -> Int {
    count == 0 ? 0 : 1 + size(of: UInt64(count)) + count
  }

  /// Bytes that a field with `number` takes; 0 for 0.
  static func size(number: UInt64) -> Int { number == 0 ? 0 : 1 + size(of: number) }

  private static func size(of number: UInt64) -> Int {
    max(1, (70 - number.leadingZeroBitCount) / 7)
  }
}
