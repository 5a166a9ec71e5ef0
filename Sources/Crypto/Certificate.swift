internal import COpenSSL
internal import Glibc

/// An X.509 certificate (RFC 5280), read once and never changed.
///
/// Nothing is verified by reading it; the TLS part verifies chains.
///
/// Owns a reference to an `X509`. `@unchecked Sendable`: it is never changed, OpenSSL counts its
/// references atomically and locks what it caches.
@safe package final class Certificate: @unchecked Sendable {
  private let handle: OpaquePointer

  package let der: [UInt8]
  /// As RFC 4514 writes a distinguished name; empty when there is none.
  package let subject: String
  package let issuer: String
  /// Lower-case hexadecimal.
  package let serial: String
  /// First and last second of validity, since 1970.
  package let notBefore: Int64
  package let notAfter: Int64
  package let alternativeNames: [AlternativeName]
  /// `sha256//` and the base64 SHA-256 of the public key's SubjectPublicKeyInfo, as curl takes it.
  package let publicKeyPin: String
  /// Whether basicConstraints lets it sign certificates.
  package let isAuthority: Bool
  /// Whether extendedKeyUsage is there and names clientAuth (RFC 5280 §4.2.1.12).
  package let isForClients: Bool

  /// Takes over the caller's reference, also when it throws.
  private init(owning handle: OpaquePointer) throws(CryptoError) {
    do {
      alternativeNames = try unsafe AlternativeName.all(of: handle)
      subject = try unsafe Self.text(X509_get_subject_name(handle))
      issuer = try unsafe Self.text(X509_get_issuer_name(handle))
      notBefore = try unsafe Self.seconds(X509_get0_notBefore(handle))
      notAfter = try unsafe Self.seconds(X509_get0_notAfter(handle))
    } catch {
      unsafe X509_free(handle)
      throw error
    }
    unsafe der = DER.encode { unsafe i2d_X509(handle, $0) }
    serial = Hex.encode(unsafe UnsafePointer(X509_get0_serialNumber(handle)).bytes)
    publicKeyPin = PublicKey.pin(
      unsafe DER.encode { unsafe i2d_X509_PUBKEY(X509_get_X509_PUBKEY(handle), $0) }
    )
    let flags = unsafe X509_get_extension_flags(handle)
    let usages = unsafe X509_get_extended_key_usage(handle)
    isAuthority = flags & UInt32(EXFLAG_CA) != 0
    // Without the extension, OpenSSL says that all usages are allowed.
    isForClients = flags & UInt32(EXFLAG_XKUSAGE) != 0 && usages & UInt32(XKU_SSL_CLIENT) != 0
    unsafe self.handle = handle
  }

  deinit { unsafe X509_free(handle) }

  /// - Throws: `malformed`, also for alternative names that are not printable ASCII.
  package convenience init(der: [UInt8]) throws(CryptoError) {
    let handle = try unsafe DER.decode(
      der,
      as: "the certificate",
      { unsafe d2i_X509(nil, $0, $1) },
      free: { unsafe X509_free($0) }
    )
    try unsafe self.init(owning: handle)
  }

  /// Shares an `X509` that someone else owns too; for the TLS part only.
  ///
  /// - Throws: as `init(der:)`.
  @unsafe package convenience init(retaining handle: OpaquePointer) throws(CryptoError) {
    unsafe X509_up_ref(handle)
    try unsafe self.init(owning: handle)
  }

  /// The first certificate in a PEM text.
  ///
  /// - Throws: `malformed`.
  package convenience init(pem: String) throws(CryptoError) {
    let text = try TextBuffer.holding(pem)
    guard let handle = try unsafe Self.next(in: text) else {
      throw CryptoError(.malformed, "no certificate in PEM")
    }
    try unsafe self.init(owning: handle)
  }

  /// All certificates in a PEM text, in its order; at least one, at most 64.
  ///
  /// - Throws: `malformed`.
  package static func chain(pem: String) throws(CryptoError) -> [Certificate] {
    let text = try TextBuffer.holding(pem)
    var chain: [Certificate] = []
    while let handle = try unsafe next(in: text) {
      chain.append(try unsafe Certificate(owning: handle))
      guard chain.count <= 64 else { throw CryptoError(.malformed, "more than 64 certificates") }
    }
    guard !chain.isEmpty else { throw CryptoError(.malformed, "no certificate in PEM") }
    return chain
  }

  package var pem: String {
    get throws(CryptoError) {
      let text = try TextBuffer()
      ErrorQueue.clear()
      guard unsafe PEM_write_bio_X509(text.handle, handle) == 1 else {
        throw .drained(.failed, "the certificate could not be written")
      }
      return text.text()
    }
  }

  package var uriNames: [String] {
    alternativeNames.compactMap { if case .uri(let name) = $0 { name } else { nil } }
  }

  package var dnsNames: [String] {
    alternativeNames.compactMap { if case .dns(let name) = $0 { name } else { nil } }
  }

  /// The certified key.
  ///
  /// - Throws: `malformed`, `weakKey`.
  package var publicKey: PublicKey {
    get throws(CryptoError) {
      ErrorQueue.clear()
      guard let key = unsafe X509_get0_pubkey(handle) else {
        throw .drained(.malformed, "the certificate's key cannot be read")
      }
      return try unsafe PublicKey(retaining: key)
    }
  }

  /// Whether this certificate names `authority` as its issuer and carries its signature.
  package func isSigned(by authority: Certificate) -> Bool {
    ErrorQueue.clear()
    defer { ErrorQueue.clear() }
    return unsafe authority.withHandle { authority in
      guard unsafe X509_check_issued(authority, handle) == X509_V_OK else { return false }
      guard let key = unsafe X509_get0_pubkey(authority) else { return false }
      return unsafe X509_verify(handle, key) == 1
    }
  }

  /// Lends the `X509`, for the TLS part only. Valid in `body`; up its references to keep it.
  @unsafe package func withHandle<Result, Failure: Error>(
    _ body: (OpaquePointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe body(handle)
  }
}

extension Certificate {
  /// - Returns: nil at the end of the text.
  private static func next(in text: borrowing TextBuffer) throws(CryptoError) -> OpaquePointer? {
    ErrorQueue.clear()
    if let handle = unsafe PEM_read_bio_X509(text.handle, nil, nil, nil) { return unsafe handle }
    guard ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE else {
      throw .drained(.malformed, "a certificate in PEM is damaged")
    }
    ErrorQueue.clear()
    return nil
  }

  private static func text(_ name: OpaquePointer?) throws(CryptoError) -> String {
    let text = try TextBuffer()
    let flags = gh_name_flags()
    guard let name = unsafe name, unsafe X509_NAME_print_ex(text.handle, name, 0, flags) >= 0 else {
      throw .drained(.malformed, "a distinguished name cannot be read")
    }
    return text.text()
  }

  private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) throws(CryptoError) -> Int64 {
    var parts = unsafe tm()
    guard unsafe ASN1_TIME_to_tm(time, &parts) == 1 else {
      throw .drained(.malformed, "a certificate's time cannot be read")
    }
    return Int64(unsafe timegm(&parts))
  }
}
