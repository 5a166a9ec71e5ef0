internal import COpenSSL

/// An Ed25519 key that signs (RFC 8032).
///
/// Owns a reference to an `EVP_PKEY`. `@unchecked Sendable`: the key is never changed, and OpenSSL
/// counts its references atomically.
@safe package final class SigningKey: @unchecked Sendable {
  package static let signatureBytes = 64

  private let handle: OpaquePointer
  /// What the signatures are checked with.
  package let verifier: VerifyingKey

  /// From its seed, 32 secret bytes.
  ///
  /// - Throws: `malformed`.
  package init(seed: [UInt8]) throws(CryptoError) {
    ErrorQueue.clear()
    guard seed.count == VerifyingKey.byteCount,
      let handle = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count)
    else { throw .drained(.malformed, "an Ed25519 seed has 32 bytes, not \(seed.count)") }
    unsafe self.handle = handle
    var raw = [UInt8](repeating: 0, count: VerifyingKey.byteCount)
    var count = raw.count
    guard unsafe EVP_PKEY_get_raw_public_key(handle, &raw, &count) == 1 else {
      unsafe EVP_PKEY_free(handle)
      throw .drained(.failed, "an Ed25519 key without a public half")
    }
    verifier = try VerifyingKey(raw)
  }

  deinit { unsafe EVP_PKEY_free(handle) }

  /// The signature of `message`, 64 bytes.
  package func sign(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
    ErrorQueue.clear()
    guard let context = unsafe EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
    defer { unsafe EVP_MD_CTX_free(context) }
    var signature = [UInt8](repeating: 0, count: Self.signatureBytes)
    var count = signature.count
    guard unsafe EVP_DigestSignInit(context, nil, nil, nil, handle) == 1,
      unsafe EVP_DigestSign(context, &signature, &count, message, message.count) == 1
    else { throw .drained(.failed, "the key does not sign") }
    return signature
  }
}

/// The public half of an Ed25519 key.
package struct VerifyingKey: Sendable, Hashable {
  package static let byteCount = 32

  package let bytes: [UInt8]

  /// - Throws: `malformed` unless there are 32 bytes.
  package init(_ bytes: [UInt8]) throws(CryptoError) {
    guard bytes.count == Self.byteCount else {
      throw CryptoError(.malformed, "an Ed25519 key has 32 bytes, not \(bytes.count)")
    }
    self.bytes = bytes
  }

  package func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    ErrorQueue.clear()
    defer { ErrorQueue.clear() }
    guard let context = unsafe EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
    defer { unsafe EVP_MD_CTX_free(context) }
    guard
      let key = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)
    else { return false }
    defer { unsafe EVP_PKEY_free(key) }
    guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
    return unsafe EVP_DigestVerify(
      context,
      signature,
      signature.count,
      message,
      message.count
    ) == 1
  }
}
