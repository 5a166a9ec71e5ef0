internal import Crypto

/// The key of one scope: seals bodies and opens them.
struct BodyKey: Sendable {
  static let saltBytes = 16
  /// What a sealed body has more than the body.
  static let overheadBytes = randomBytes + AES256GCM.tagBytes
  static let randomBytes = saltBytes + AES256GCM.nonceBytes

  let scope: Int64
  private let cipher: AES256GCM

  init(scope: Int64, _ key: [UInt8]) {
    self.scope = scope
    cipher = AES256GCM(key: key)
  }

  /// Seals a body, in one piece of memory.
  func seal(_ body: [UInt8], _ random: BodyRandom) -> SealedBody {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.overheadBytes + body.count)
    random.append(Self.randomBytes, to: &bytes)
    bytes += body
    let digest = Self.digest(bytes.span.extracting(droppingFirst: AES256GCM.nonceBytes))
    for _ in 0..<AES256GCM.tagBytes { bytes.append(0) }
    cipher.seal(inPlace: &bytes, context: digest.bytes)
    return SealedBody(scope: scope, digest: digest, bytes: bytes)
  }

  /// The body that a header with `digest` belongs to; nil when these bytes are not it.
  func open(_ bytes: [UInt8], _ digest: Hash256) -> [UInt8]? {
    guard bytes.count >= AES256GCM.nonceBytes else { return nil }
    let salted = try? cipher.open(
      Array(bytes[AES256GCM.nonceBytes...]),
      nonce: Array(bytes[..<AES256GCM.nonceBytes]),
      context: digest.bytes
    )
    guard let salted, salted.count >= Self.saltBytes, Self.digest(salted.span) == digest else {
      return nil
    }
    return Array(salted[Self.saltBytes...])
  }

  /// The salt, which goes with the key, keeps a short body from being found by trying.
  private static func digest(_ salted: Span<UInt8>) -> Hash256 {
    SHA256.hash(domain.span, salted)
  }

  private static let domain = Array("gatehouse.body.v1\0".utf8)
}

/// A body as it lies in the store, and what the header says of it.
struct SealedBody: Sendable {
  let scope: Int64
  let digest: Hash256
  /// Nonce, then salt and body as ciphertext, then tag. The digest is sealed in: a body does not
  /// open beside another header.
  let bytes: [UInt8]
}

/// What a body is sealed with and nobody can guess: nonce, then salt.
struct BodyRandom: Sendable {
  private let words: (UInt64, UInt64, UInt64, UInt64)

  init(_ random: inout SecureRandom.Generator) {
    words = (random.next(), random.next(), random.next(), random.next())
  }

  /// The first `count` of its 32 bytes.
  func append(_ count: Int, to bytes: inout [UInt8]) {
    let end = bytes.count + count
    for word in [words.0, words.1, words.2, words.3] {
      for shift in stride(from: 0, to: 64, by: 8) where bytes.count < end {
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
  }
}
