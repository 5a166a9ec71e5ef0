internal import COpenSSL

/// What a new certificate shall say.
package struct CertificateTemplate: Sendable {
  package enum Usage: Sendable, Hashable {
    case client
    case server
  }

  /// CN of the subject, for people; 1 to 64 characters.
  package var commonName: String
  package var names: [AlternativeName]
  package var usages: Set<Usage>
  /// From now; cut to what the issuer itself still has. The start is five minutes before now, for
  /// clocks that lag.
  package var lifetime: Duration

  package init(
    commonName: String,
    names: [AlternativeName],
    usages: Set<Usage>,
    lifetime: Duration
  ) {
    self.commonName = commonName
    self.names = names
    self.usages = usages
    self.lifetime = lifetime
  }
}

/// A certificate authority: a certificate and the key that signs for it.
package struct CertificateIssuer: Sendable {
  package let certificate: Certificate
  package let key: PrivateKey

  /// - Throws: `failed` when the key is not the certificate's, or it may not sign certificates.
  package init(certificate: Certificate, key: PrivateKey) throws(CryptoError) {
    guard certificate.publicKeyPin == key.publicKey.pin else {
      throw CryptoError(.failed, "the private key is not the certificate's")
    }
    guard certificate.isAuthority else {
      throw CryptoError(.failed, "the certificate is not one of an authority")
    }
    self.certificate = certificate
    self.key = key
  }

  /// A new root that signs leaves only (path length 0). `now` is in seconds since 1970.
  package static func selfSigned(
    commonName: String,
    key: PrivateKey,
    lifetime: Duration,
    at now: Int64
  ) throws(CryptoError) -> CertificateIssuer {
    var draft = try CertificateDraft()
    try draft.begin(commonName: commonName, for: key.publicKey)
    try draft.setValidity(from: now - backdating, to: now + lifetime.components.seconds)
    try draft.setIssuer(nil)
    try draft.add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
    try draft.add(NID_key_usage, "critical,keyCertSign,cRLSign")
    try draft.add(NID_subject_key_identifier, "hash")
    return try CertificateIssuer(certificate: draft.signed(by: key), key: key)
  }

  /// Certifies `publicKey` as `template` says, with a random serial of 128 bits. `now` is in seconds
  /// since 1970.
  package func issue(
    _ template: CertificateTemplate,
    for publicKey: PublicKey,
    at now: Int64
  ) throws(CryptoError) -> Certificate {
    let end = min(now + template.lifetime.components.seconds, certificate.notAfter)
    guard end > now else { throw CryptoError(.failed, "the issuer's own certificate has ended") }
    var draft = try CertificateDraft()
    try draft.begin(commonName: template.commonName, for: publicKey)
    try draft.setValidity(from: now - Self.backdating, to: end)
    try draft.setIssuer(certificate)
    try draft.add(NID_basic_constraints, "critical,CA:FALSE")
    try draft.add(NID_key_usage, "critical,digitalSignature")
    if !template.usages.isEmpty { try draft.add(NID_ext_key_usage, template.usageList) }
    try draft.add(NID_subject_key_identifier, "hash")
    try draft.add(NID_authority_key_identifier, "keyid:always")
    try draft.add(template.names)
    return try draft.signed(by: key)
  }

  /// Seconds a certificate is valid before it was made, for clocks that lag.
  private static let backdating: Int64 = 300
}

extension CertificateTemplate {
  /// As OpenSSL's configuration writes extendedKeyUsage.
  fileprivate var usageList: String {
    usages.map { $0 == .client ? "clientAuth" : "serverAuth" }.sorted().joined(separator: ",")
  }
}
