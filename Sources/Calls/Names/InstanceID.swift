/// One run of a daemon's program, named by the daemon at random when it starts.
///
/// Calls offered to another instance are not known to this one, unless its inventory says so.
package struct InstanceID: Sendable, Hashable {
  private let bits: Bits128

  package init(random: inout some RandomNumberGenerator) {
    bits = Bits128(random.next(), random.next())
  }

  /// An instance id as it arrived; nil unless it has 16 bytes.
  package init?(bytes: [UInt8]) {
    guard let bits = Bits128(bytes: bytes) else { return nil }
    self.bits = bits
  }

  package var bytes: [UInt8] { bits.bytes }
}
