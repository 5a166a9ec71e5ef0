internal import Crypto
internal import Host

/// Keys and certificates as files of a state folder.
///
/// A key is on disk before the certificate made for it, so a crash between the two leaves a key
/// that the next start uses.
struct PKIStore {
  let folder: StateFolder

  func makeFolders() throws(PKIError) {
    try attempt { () throws(HostError) in try folder.makeFolder("pki") }
    try attempt { () throws(HostError) in try folder.makeFolder("client") }
  }

  /// The root kept as `pki/<name>.pem` and `.key`, made if there is none.
  func issuer(
    _ name: String,
    commonName: String,
    at now: Int64
  ) throws(PKIError) -> CertificateIssuer {
    let (certificate, key) = ("pki/\(name).pem", "pki/\(name).key")
    guard let found = try readChain(certificate)?.first else {
      return try makeIssuer(certificate, key, commonName, at: now)
    }
    guard let ownKey = try readKey(key) else {
      throw PKIError("\(path(key)) is missing; \(Self.restore)")
    }
    guard now < found.notAfter else {
      throw PKIError("\(path(certificate)) has expired; \(Self.restart)")
    }
    do {
      return try CertificateIssuer(certificate: found, key: ownKey)
    } catch {
      throw PKIError("\(path(key)) and \(path(certificate)): \(error); \(Self.restore)")
    }
  }

  private func makeIssuer(
    _ certificate: String,
    _ key: String,
    _ commonName: String,
    at now: Int64
  ) throws(PKIError) -> CertificateIssuer {
    let ownKey = try keepKey(key)
    let issuer = try crypto("make \(path(certificate))") { () throws(CryptoError) in
      try CertificateIssuer.selfSigned(
        commonName: commonName,
        key: ownKey,
        lifetime: .seconds(5 * 365 * CertificateTemplate.day),
        at: now
      )
    }
    try write([issuer.certificate], to: certificate)
    return issuer
  }

  /// The leaf kept in two files; made if there is none, renewed past half of its life, or when
  /// `issuer` is not the one that signed it, or when it is for other names.
  func leaf(
    certificate: String,
    key: String,
    by issuer: CertificateIssuer,
    _ template: CertificateTemplate,
    at now: Int64
  ) throws(PKIError) -> (certificate: Certificate, key: PrivateKey) {
    let ownKey = try keepKey(key)
    if let found = try readChain(certificate)?.first,
      found.publicKeyPin == ownKey.publicKey.pin, found.isSigned(by: issuer.certificate),
      found.alternativeNames == template.names,
      now < found.halfLife
    {
      return (found, ownKey)
    }
    let made = try crypto("make \(path(certificate))") { () throws(CryptoError) in
      try issuer.issue(template, for: ownKey.publicKey, at: now)
    }
    // Clients get their issuer's certificate too; servers' peers hold it already.
    let isClient = template.usages.contains(.client)
    try write(isClient ? [made, issuer.certificate] : [made], to: certificate)
    return (made, ownKey)
  }

  func write(_ chain: [Certificate], to name: String) throws(PKIError) {
    var text = ""
    for certificate in chain {
      text += try crypto("write \(path(name))") { () throws(CryptoError) in try certificate.pem }
    }
    let bytes = Array(text.utf8)
    try attempt { () throws(HostError) in
      guard try folder.read(name) != bytes else { return }
      try folder.write(bytes, to: name, mode: 0o644)
    }
  }

  private func keepKey(_ name: String) throws(PKIError) -> PrivateKey {
    guard let key = try readKey(name) else { return try makeKey(name) }
    return key
  }

  private func makeKey(_ name: String) throws(PKIError) -> PrivateKey {
    let (key, pem) = try crypto("make \(path(name))") { () throws(CryptoError) in
      let key = try PrivateKey.generate()
      return (key, try key.pem)
    }
    try attempt { () throws(HostError) in try folder.write(Array(pem.utf8), to: name) }
    return key
  }

  private func readKey(_ name: String) throws(PKIError) -> PrivateKey? {
    let bytes = try attempt { () throws(HostError) in try folder.readSecret(name) }
    guard let bytes else { return nil }
    do {
      return try PrivateKey(pem: String(decoding: bytes, as: UTF8.self))
    } catch {
      throw PKIError("\(path(name)) is damaged (\(error)); \(Self.restore)")
    }
  }

  private func readChain(_ name: String) throws(PKIError) -> [Certificate]? {
    let bytes = try attempt { () throws(HostError) in try folder.read(name) }
    guard let bytes else { return nil }
    do {
      return try Certificate.chain(pem: String(decoding: bytes, as: UTF8.self))
    } catch {
      throw PKIError("\(path(name)) is damaged (\(error)); \(Self.restore)")
    }
  }

  private static let restore =
    "restore it from a copy, or move the folders pki and client away to begin with new identities"
  private static let restart =
    "move the folders pki and client away to begin with new identities"

  private func path(_ name: String) -> String { folder.path(of: name) }

  private func attempt<Result>(
    _ body: () throws(HostError) -> Result
  ) throws(PKIError) -> Result {
    do { return try body() } catch { throw PKIError(error.description) }
  }

  private func crypto<Result>(
    _ what: String,
    _ body: () throws(CryptoError) -> Result
  ) throws(PKIError) -> Result {
    do { return try body() } catch { throw PKIError("cannot \(what): \(error)") }
  }
}
