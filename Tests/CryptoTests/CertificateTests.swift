internal import Testing

@testable internal import Crypto

@Suite struct Certificates {
  private let now: Int64 = 1_800_000_000
  private let issuer: CertificateIssuer

  init() throws {
    issuer = try .selfSigned(
      commonName: "Test",
      key: .generate(),
      lifetime: .seconds(86_400),
      at: now
    )
  }

  private func issue(
    _ names: [AlternativeName],
    lifetime: Duration = .seconds(3600),
    key: PrivateKey? = nil
  ) throws -> Certificate {
    let template = CertificateTemplate(
      commonName: "leaf",
      names: names,
      usages: [.client],
      lifetime: lifetime
    )
    return try issuer.issue(template, for: (key ?? .generate()).publicKey, at: now)
  }

  @Test func `a root is an authority and signs itself`() {
    #expect(issuer.certificate.isAuthority)
    #expect(issuer.certificate.isSigned(by: issuer.certificate))
    #expect(issuer.certificate.subject == "CN=Test")
  }

  @Test func `a leaf says what its template says`() throws {
    let key = try PrivateKey.generate()
    let leaf = try issue(
      [.uri("spiffe://a/user/b"), .dns("localhost"), .address([127, 0, 0, 1])],
      key: key
    )
    #expect(leaf.uriNames == ["spiffe://a/user/b"])
    #expect(leaf.dnsNames == ["localhost"])
    #expect(leaf.alternativeNames.last == .address([127, 0, 0, 1]))
    #expect(leaf.subject == "CN=leaf")
    #expect(leaf.issuer == "CN=Test")
    #expect(leaf.notBefore == now - 300)
    #expect(leaf.notAfter == now + 3600)
    #expect(leaf.publicKeyPin == key.publicKey.pin)
    #expect(!leaf.isAuthority)
    #expect(leaf.isSigned(by: issuer.certificate))
  }

  @Test func `a host is an address or a name`() {
    #expect(AlternativeName.host("127.0.0.1") == .address([127, 0, 0, 1]))
    #expect(AlternativeName.host("::1") == .address([UInt8](repeating: 0, count: 15) + [1]))
    #expect(AlternativeName.host("plane.example") == .dns("plane.example"))
  }

  @Test func `serials are 128 bits long and differ`() throws {
    let serials = try (0..<8).map { _ in try issue([]).serial }
    #expect(Set(serials).count == 8)
    #expect(serials.allSatisfy { $0.utf8.count == 32 })
  }

  @Test func `a leaf ends no later than its issuer`() throws {
    #expect(try issue([], lifetime: .seconds(1_000_000)).notAfter == issuer.certificate.notAfter)
  }

  @Test func `an issuer that has ended issues nothing`() throws {
    let template = CertificateTemplate(
      commonName: "x",
      names: [],
      usages: [.client],
      lifetime: .seconds(60)
    )
    let key = try PrivateKey.generate().publicKey
    #expect(code { _ = try issuer.issue(template, for: key, at: now + 90_000) } == .failed)
  }

  @Test func `a leaf is not signed by another root of the same name`() throws {
    let other = try CertificateIssuer.selfSigned(
      commonName: "Test",
      key: .generate(),
      lifetime: .seconds(86_400),
      at: now
    )
    #expect(try !issue([]).isSigned(by: other.certificate))
  }

  @Test func `a leaf cannot be made an issuer`() throws {
    let key = try PrivateKey.generate()
    let leaf = try issue([], key: key)
    #expect(code { _ = try CertificateIssuer(certificate: leaf, key: key) } == .failed)
  }

  @Test func `an issuer needs its own key`() throws {
    let key = try PrivateKey.generate()
    #expect(
      code { _ = try CertificateIssuer(certificate: issuer.certificate, key: key) } == .failed
    )
  }

  @Test func `a chain survives PEM and DER`() throws {
    let leaf = try issue([.uri("spiffe://a/user/b")])
    let chain = try Certificate.chain(pem: leaf.pem + issuer.certificate.pem)
    #expect(chain.map(\.der) == [leaf.der, issuer.certificate.der])
    #expect(try Certificate(der: leaf.der).serial == leaf.serial)
    #expect(try Certificate(pem: leaf.pem).serial == leaf.serial)
  }

  @Test func `a damaged certificate in PEM is refused, not skipped`() throws {
    let good = try issue([]).pem
    let bad = good.replacing("MII", with: "M!I")
    #expect(code { _ = try Certificate.chain(pem: good + bad) } == .malformed)
    #expect(code { _ = try Certificate.chain(pem: "") } == .malformed)
  }

  @Test(arguments: ["spiffe://a/user/b\0.evil", "spiffe://a/user/b\n", "spiffe://a/user/é"])
  func `a name with a NUL or other odd byte is refused`(name: String) {
    #expect(code { _ = try issue([.uri(name)]) } == .malformed)
    #expect(code { _ = try issue([.dns(name)]) } == .malformed)
  }

  @Test func `a certificate cut anywhere is refused`() throws {
    let der = try issue([.uri("spiffe://a/user/b")]).der
    for length in 0..<der.count {
      #expect(code { _ = try Certificate(der: Array(der[..<length])) } == .malformed)
    }
  }
}
