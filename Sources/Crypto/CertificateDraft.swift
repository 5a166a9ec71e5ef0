internal import COpenSSL

/// A certificate while it is made. Owns an `X509`.
@safe struct CertificateDraft: ~Copyable {
  private let handle: OpaquePointer

  /// Whose name and key identifier go into it; nil: its own.
  private var issuer: Certificate?

  init() throws(CryptoError) {
    ErrorQueue.clear()
    guard let handle = unsafe X509_new() else { throw .drained(.failed, "out of memory") }
    unsafe self.handle = handle
    issuer = nil
  }

  deinit { unsafe X509_free(handle) }

  /// Sets what each certificate has, with a random serial.
  func begin(commonName: String, for publicKey: PublicKey) throws(CryptoError) {
    // 2: X.509 version 3.
    guard
      unsafe X509_set_version(handle, 2) == 1,
      unsafe X509_set_pubkey(handle, publicKey.handle) == 1
    else { throw .drained(.failed, "the certificate could not be begun") }
    try setSerial()
    try setSubject(commonName)
  }

  /// The first and last second of validity, since 1970.
  func setValidity(from first: Int64, to last: Int64) throws(CryptoError) {
    guard
      unsafe ASN1_TIME_set(X509_getm_notBefore(handle), time_t(first)) != nil,
      unsafe ASN1_TIME_set(X509_getm_notAfter(handle), time_t(last)) != nil
    else { throw .drained(.failed, "the validity could not be set") }
  }

  /// Names the issuer, for `add` too; nil: this certificate itself.
  mutating func setIssuer(_ issuer: Certificate?) throws(CryptoError) {
    let name = unsafe issuer?.withHandle { unsafe X509_get_subject_name($0) }
    let done = unsafe X509_set_issuer_name(handle, name ?? X509_get_subject_name(handle))
    guard done == 1 else { throw .drained(.failed, "the issuer could not be set") }
    self.issuer = issuer
  }

  /// Adds an extension. `value` is in the words of OpenSSL's configuration: ours only, never a
  /// peer's.
  func add(_ extension: Int32, _ value: String) throws(CryptoError) {
    ErrorQueue.clear()
    var context = unsafe X509V3_CTX()
    let issuer = unsafe issuer?.withHandle { unsafe $0 }
    unsafe X509V3_set_ctx(&context, issuer ?? handle, handle, nil, nil, 0)
    guard let made = unsafe X509V3_EXT_conf_nid(nil, &context, `extension`, value) else {
      throw .drained(.failed, "extension \(value) could not be made")
    }
    defer { unsafe X509_EXTENSION_free(made) }
    guard unsafe X509_add_ext(handle, made, -1) == 1 else {
      throw .drained(.failed, "extension \(value) could not be added")
    }
  }

  func add(_ names: [AlternativeName]) throws(CryptoError) {
    try unsafe AlternativeName.add(names, to: handle)
  }

  func signed(by key: PrivateKey) throws(CryptoError) -> Certificate {
    ErrorQueue.clear()
    let count = unsafe key.withHandle { unsafe X509_sign(handle, $0, EVP_sha256()) }
    guard count > 0 else { throw .drained(.failed, "the certificate could not be signed") }
    // Read back from bytes, so that nothing cached from before the signature is left.
    return try Certificate(der: unsafe DER.encode { unsafe i2d_X509(handle, $0) })
  }

  /// 127 random bits below a one, so that it is positive, never zero and always 16 bytes.
  private func setSerial() throws(CryptoError) {
    var bytes = SecureRandom.bytes(16)
    bytes[0] = bytes[0] & 0x7f | 0x40
    let number = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe BN_bin2bn(bytes.baseAddress, Int32(bytes.count), nil)
    }
    defer { unsafe BN_free(number) }
    guard unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(handle)) != nil else {
      throw .drained(.failed, "the serial number could not be set")
    }
  }

  private func setSubject(_ commonName: String) throws(CryptoError) {
    let bytes = Array(commonName.utf8)
    let done = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe X509_NAME_add_entry_by_NID(
        X509_get_subject_name(handle),
        NID_commonName,
        MBSTRING_UTF8,
        bytes.baseAddress,
        Int32(bytes.count),
        -1,
        0
      )
    }
    guard done == 1 else { throw .drained(.failed, "the subject could not be set") }
  }
}
