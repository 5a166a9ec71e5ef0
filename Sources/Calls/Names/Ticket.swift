/// The right to carry one call once: 128 random bits.
///
/// It is worth something only together with the certificate, session epoch and call id that it was
/// made for; `BrokerCall` keeps those.
package struct Ticket: Sendable, Equatable {
  package static let byteCount = Bits128.count

  private let bits: Bits128

  /// - Parameter random: a generator fit for secrets.
  @inlinable package init(random: inout some RandomNumberGenerator) {
    self.init(random.next(), random.next())
  }

  @usableFromInline init(_ high: UInt64, _ low: UInt64) { bits = Bits128(high, low) }

  /// A ticket as it arrived; nil unless it has 16 bytes.
  package init?(bytes: [UInt8]) {
    guard let bits = Bits128(bytes: bytes) else { return nil }
    self.bits = bits
  }

  package var bytes: [UInt8] { bits.bytes }

  /// In constant time.
  package static func == (one: Ticket, other: Ticket) -> Bool { one.bits.matches(other.bits) }
}
