package import Crypto
internal import Glibc
package import TLS

/// A certificate authority for one test: identities for both ends of a connection.
package struct TestPKI: Sendable {
  package let issuer: CertificateIssuer
  package let authoritiesPEM: String

  package init() throws {
    issuer = try CertificateIssuer.selfSigned(
      commonName: "test authority",
      key: PrivateKey.generate(),
      lifetime: .seconds(3_600),
      at: Self.now
    )
    authoritiesPEM = try issuer.certificate.pem
  }

  package static var now: Int64 { Int64(time(nil)) }

  package func identity(
    _ names: [AlternativeName],
    usages: Set<CertificateTemplate.Usage>,
    lifetime: Duration = .seconds(3_600),
    at now: Int64 = TestPKI.now
  ) throws -> TLSIdentity {
    let key = try PrivateKey.generate()
    let template = CertificateTemplate(
      commonName: "test",
      names: names,
      usages: usages,
      lifetime: lifetime
    )
    let certificate = try issuer.issue(template, for: key.publicKey, at: now)
    return try TLSIdentity(chainPEM: certificate.pem, keyPEM: key.pem)
  }

  /// For a server on `localhost` and 127.0.0.1.
  package func server() throws -> TLSIdentity {
    try identity([.dns("localhost"), .address([127, 0, 0, 1])], usages: [.server])
  }

  /// For a client with a SPIFFE id, e.g. `spiffe://test/user/ann`.
  package func client(_ uri: String) throws -> TLSIdentity {
    try identity([.uri(uri)], usages: [.client])
  }

  /// A context for a listener that requires clients of this authority.
  package func mutualServer() throws -> TLSContext {
    try .server(identity: server(), clientAuthoritiesPEM: authoritiesPEM)
  }

  package func clientContext(_ uri: String = "spiffe://test/user/ann") throws -> TLSContext {
    try .client(identity: client(uri), authoritiesPEM: authoritiesPEM)
  }
}
