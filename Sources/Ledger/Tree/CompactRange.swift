internal import Crypto

/// All that is needed of a Merkle tree to add leaves and to know its root: the roots of the complete
/// subtrees that make it up, largest first, one for each bit that is set in the number of leaves.
///
/// A plain value of at most 64 hashes: a copy is the way back when a batch could not be written.
struct CompactRange: Equatable, Sendable {
  /// How many leaves there are.
  private(set) var size: UInt64 = 0
  private var roots: [Hash256] = []

  init() {}

  mutating func append(_ leaf: Hash256, _ hasher: inout TreeHasher) {
    var hash = leaf
    var rest = size
    while rest & 1 == 1, let left = roots.popLast() {
      hash = hasher.node(left, hash)
      rest >>= 1
    }
    roots.append(hash)
    size += 1
  }

  /// RFC 6962's Merkle tree hash.
  func root(_ hasher: inout TreeHasher) -> Hash256 {
    guard var hash = roots.last else { return hasher.empty() }
    for left in roots.dropLast().reversed() { hash = hasher.node(left, hash) }
    return hash
  }

  /// The subtrees' roots in a row.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    for root in roots { root.append(to: &bytes) }
    return bytes
  }

  /// Nil unless `bytes` holds as many hashes as a tree of `size` leaves has complete subtrees.
  init?(size: UInt64, bytes: [UInt8]) {
    guard bytes.count == size.nonzeroBitCount * SHA256.byteCount else { return nil }
    self.size = size
    for start in stride(from: 0, to: bytes.count, by: SHA256.byteCount) {
      guard let root = Hash256(bytes[start..<start + SHA256.byteCount]) else { return nil }
      roots.append(root)
    }
  }
}
