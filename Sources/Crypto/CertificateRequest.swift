internal import COpenSSL

/// A request for a certificate (PKCS #10, RFC 2986) whose signature is right and whose key is strong.
///
/// The names in it are not looked at: whoever issues knows whom for.
package struct CertificateRequest: Sendable {
  package let der: [UInt8]
  package let publicKey: PublicKey

  /// Asks for a certificate for `key`, with an empty subject.
  package init(for key: PrivateKey) throws(CryptoError) {
    ErrorQueue.clear()
    guard let request = unsafe X509_REQ_new() else { throw .drained(.failed, "out of memory") }
    defer { unsafe X509_REQ_free(request) }
    let signed = unsafe key.withHandle { key in
      guard unsafe X509_REQ_set_version(request, 0) == 1 else { return false }
      guard unsafe X509_REQ_set_pubkey(request, key) == 1 else { return false }
      return unsafe X509_REQ_sign(request, key, EVP_sha256()) > 0
    }
    guard signed else { throw .drained(.failed, "the request could not be signed") }
    unsafe der = DER.encode { unsafe i2d_X509_REQ(request, $0) }
    publicKey = key.publicKey
  }

  /// Reads a request someone else made.
  ///
  /// - Throws: `malformed`, `weakKey`, `badSignature`.
  package init(der: [UInt8]) throws(CryptoError) {
    let request = try unsafe DER.decode(
      der,
      as: "the certificate request",
      { unsafe d2i_X509_REQ(nil, $0, $1) },
      free: { unsafe X509_REQ_free($0) }
    )
    defer { unsafe X509_REQ_free(request) }
    guard let key = unsafe X509_REQ_get0_pubkey(request) else {
      throw .drained(.malformed, "the certificate request has no readable key")
    }
    publicKey = try unsafe PublicKey(retaining: key)
    guard unsafe X509_REQ_verify(request, key) == 1 else {
      throw .drained(.badSignature, "the certificate request is not signed by its own key")
    }
    self.der = der
  }
}
