/// Sixteen bytes that name something at random.
struct Bits128: Hashable, Sendable {
  static let count = 16

  private var high: UInt64
  private var low: UInt64

  init(_ high: UInt64, _ low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Nil unless there are exactly 16 bytes.
  init?(bytes: [UInt8]) {
    guard bytes.count == Self.count else { return nil }
    high = Self.word(of: bytes, at: 0)
    low = Self.word(of: bytes, at: 8)
  }

  private static func word(of bytes: [UInt8], at start: Int) -> UInt64 {
    var word: UInt64 = 0
    for index in start..<start + 8 { word = word << 8 | UInt64(bytes[index]) }
    return word
  }

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.count)
    for word in [high, low] {
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    return bytes
  }

  /// Compares all bits whatever they are, so that the time taken tells nothing of where they
  /// differ.
  func matches(_ other: Bits128) -> Bool {
    (high ^ other.high) | (low ^ other.low) == 0
  }
}
