/// Sixteen bytes that name something at random.
struct Bits128: Hashable, Sendable {
  static let count = 16

  private var high: UInt64
  private var low: UInt64

  init(random: inout some RandomNumberGenerator) {
    high = random.next()
    low = random.next()
  }

  /// Nil unless there are exactly 16 bytes.
  init?(bytes: some Collection<UInt8>) {
    guard bytes.count == Self.count else { return nil }
    high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    low = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  var bytes: [UInt8] {
    [high, low].flatMap { word in
      stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
    }
  }

  /// Compares all bits whatever they are, so that the time taken tells nothing of where they
  /// differ.
  func matches(_ other: Bits128) -> Bool {
    (high ^ other.high) | (low ^ other.low) == 0
  }
}
