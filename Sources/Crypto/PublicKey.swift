internal import COpenSSL

/// A public key that is strong enough to certify: P-256, P-384, P-521, Ed25519, or RSA of 2,048 to
/// 8,192 bits.
///
/// Owns a reference to an `EVP_PKEY`. `@unchecked Sendable`: the key is never changed, and OpenSSL
/// counts its references atomically.
@safe package final class PublicKey: @unchecked Sendable {
  let handle: OpaquePointer

  /// SubjectPublicKeyInfo (RFC 5280 §4.1).
  package let der: [UInt8]

  /// Shares a key that someone else owns too.
  ///
  /// - Throws: `weakKey`.
  @unsafe init(retaining handle: OpaquePointer) throws(CryptoError) {
    try unsafe Self.checkStrength(handle)
    unsafe EVP_PKEY_up_ref(handle)
    unsafe self.handle = handle
    unsafe der = DER.encode { unsafe i2d_PUBKEY(handle, $0) }
  }

  deinit { unsafe EVP_PKEY_free(handle) }

  /// `sha256//` and the base64 SHA-256 of `der`, as curl takes it.
  package var pin: String { Self.pin(der) }

  static func pin(_ der: [UInt8]) -> String { "sha256//" + Base64.encode(SHA256.hash(der)) }

  private static func checkStrength(_ key: OpaquePointer) throws(CryptoError) {
    switch unsafe EVP_PKEY_get_base_id(key) {
    case EVP_PKEY_ED25519: return
    case EVP_PKEY_RSA: try checkRSA(bits: unsafe EVP_PKEY_get_bits(key))
    case EVP_PKEY_EC: try unsafe checkCurve(key)
    default: throw CryptoError(.weakKey, "the key is neither EC, RSA nor Ed25519")
    }
  }

  private static func checkRSA(bits: Int32) throws(CryptoError) {
    guard bits >= 2048 else { throw CryptoError(.weakKey, "RSA of \(bits) bits is below 2048") }
    // Larger ones cost the verifier more than they add.
    guard bits <= 8192 else { throw CryptoError(.weakKey, "RSA of \(bits) bits is above 8192") }
  }

  private static func checkCurve(_ key: OpaquePointer) throws(CryptoError) {
    var name = [UInt8](repeating: 0, count: 64)
    var count = 0
    let known = unsafe name.withUnsafeMutableBytes { name in
      unsafe EVP_PKEY_get_group_name(
        key,
        name.baseAddress?.assumingMemoryBound(to: CChar.self),
        name.count,
        &count
      )
    }
    let curve = known == 1 ? String(decoding: name.prefix(count), as: UTF8.self) : "not named"
    guard ["prime256v1", "secp384r1", "secp521r1"].contains(curve) else {
      ErrorQueue.clear()
      throw CryptoError(.weakKey, "the curve is \(curve), not P-256, P-384 or P-521")
    }
  }
}
