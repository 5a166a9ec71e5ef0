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

  /// Seals a body. `random`: 28 random bytes, for salt and nonce.
  func seal(_ body: [UInt8], random: [UInt8]) -> SealedBody {
    let salted = random[..<Self.saltBytes] + body
    let nonce = Array(random[Self.saltBytes...])
    let digest = Self.digest(Array(salted))
    let sealed = cipher.seal(Array(salted), nonce: nonce, context: digest.bytes)
    return SealedBody(scope: scope, digest: digest, bytes: nonce + sealed)
  }

  /// The body that a header with `digest` belongs to; nil when these bytes are not it.
  func open(_ bytes: [UInt8], _ digest: Hash256) -> [UInt8]? {
    guard bytes.count >= AES256GCM.nonceBytes else { return nil }
    let salted = try? cipher.open(
      Array(bytes[AES256GCM.nonceBytes...]),
      nonce: Array(bytes[..<AES256GCM.nonceBytes]),
      context: digest.bytes
    )
    guard let salted, salted.count >= Self.saltBytes, Self.digest(salted) == digest else {
      return nil
    }
    return Array(salted[Self.saltBytes...])
  }

  /// The salt, which goes with the key, keeps a short body from being found by trying.
  private static func digest(_ salted: [UInt8]) -> Hash256 {
    var sha = SHA256()
    sha.update(domain.span)
    sha.update(salted.span)
    return sha.finishAndBegin()
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
