internal import Crypto

/// Hashes as RFC 6962 §2.1 has them: leaves and inner nodes have domains of their own, so neither can
/// stand for the other.
struct TreeHasher: ~Copyable {
  private var sha = SHA256()
  private var scratch: [UInt8] = []

  init() { scratch.reserveCapacity(1 + 2 * SHA256.byteCount) }

  mutating func leaf(_ bytes: [UInt8]) -> Hash256 {
    let domain: InlineArray<1, UInt8> = [0]
    sha.update(domain.span)
    sha.update(bytes.span)
    return sha.finishAndBegin()
  }

  mutating func node(_ left: Hash256, _ right: Hash256) -> Hash256 {
    // Taken out: the digest and its input are parts of the same value.
    var input = scratch
    scratch = []
    input.removeAll(keepingCapacity: true)
    input.append(1)
    left.append(to: &input)
    right.append(to: &input)
    sha.update(input.span)
    scratch = input
    return sha.finishAndBegin()
  }

  /// Of a tree without leaves: the hash of nothing.
  mutating func empty() -> Hash256 { sha.finishAndBegin() }
}
