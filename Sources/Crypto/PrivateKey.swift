internal import COpenSSL

/// A private key; ours are EC P-256.
///
/// Owns a reference to an `EVP_PKEY`. `@unchecked Sendable`: the key is never changed, and OpenSSL
/// counts its references atomically.
@safe package final class PrivateKey: @unchecked Sendable {
  private let handle: OpaquePointer
  package let publicKey: PublicKey

  /// Takes over the caller's reference, also when it throws.
  private init(owning handle: OpaquePointer) throws(CryptoError) {
    do {
      publicKey = try unsafe PublicKey(retaining: handle)
    } catch {
      unsafe EVP_PKEY_free(handle)
      throw error
    }
    unsafe self.handle = handle
  }

  deinit { unsafe EVP_PKEY_free(handle) }

  /// A new key on P-256.
  package static func generate() throws(CryptoError) -> PrivateKey {
    ErrorQueue.clear()
    guard let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil) else {
      throw .drained(.failed, "no EC keys in this OpenSSL")
    }
    defer { unsafe EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    guard
      unsafe EVP_PKEY_keygen_init(context) == 1,
      unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
      unsafe EVP_PKEY_keygen(context, &key) == 1, let key = unsafe key
    else { throw .drained(.failed, "no key could be made") }
    return try unsafe PrivateKey(owning: key)
  }

  /// The first private key in a PEM text (PKCS #8, SEC 1 or PKCS #1), not encrypted.
  ///
  /// - Throws: `malformed`, `weakKey`.
  package convenience init(pem: String) throws(CryptoError) {
    let text = try TextBuffer.holding(pem)
    ErrorQueue.clear()
    // Without a callback of ours OpenSSL would ask the terminal for an encrypted key's password.
    let refuse:
      @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 =
        { _, _, _, _ in -1 }
    guard let key = unsafe PEM_read_bio_PrivateKey(text.handle, nil, refuse, nil) else {
      throw .drained(.malformed, "no unencrypted private key in PEM")
    }
    try unsafe self.init(owning: key)
  }

  /// PKCS #8 in PEM, not encrypted.
  package var pem: String {
    get throws(CryptoError) {
      let text = try TextBuffer()
      ErrorQueue.clear()
      guard unsafe PEM_write_bio_PrivateKey(text.handle, handle, nil, nil, 0, nil, nil) == 1 else {
        throw .drained(.failed, "the key could not be written")
      }
      return text.text()
    }
  }

  /// Lends the `EVP_PKEY`, for the TLS part only. Valid in `body`; up its references to keep it.
  @unsafe package func withHandle<Result, Failure: Error>(
    _ body: (OpaquePointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe body(handle)
  }
}
