internal import Crypto
internal import Testing

@testable internal import Identity

@Suite struct `Principal mapping` {
  private let now: Int64 = 1_800_000_000
  private let workspaces: CertificateIssuer
  private let users: CertificateIssuer
  private let stranger: CertificateIssuer
  private let mapper: PrincipalMapper

  init() throws {
    let now = self.now
    func issuer(_ name: String) throws -> CertificateIssuer {
      try .selfSigned(commonName: name, key: .generate(), lifetime: .seconds(86_400), at: now)
    }
    workspaces = try issuer("workspaces")
    users = try issuer("users")
    stranger = try issuer("users")
    var table = IssuerTable()
    table.set(
      IssuerGrant(trustDomain: .development, kinds: [.workspace]),
      forPin: workspaces.certificate.publicKeyPin
    )
    table.set(
      IssuerGrant(trustDomain: .development, kinds: [.user, .service], groups: ["staff"]),
      forPin: users.certificate.publicKeyPin
    )
    mapper = PrincipalMapper(issuers: table)
  }

  private func chain(
    _ issuer: CertificateIssuer,
    _ names: AlternativeName...,
    usages: Set<CertificateTemplate.Usage> = [.client]
  ) throws -> [Certificate] {
    let template = CertificateTemplate(
      commonName: "test",
      names: names,
      usages: usages,
      lifetime: .seconds(3600)
    )
    let leaf = try issuer.issue(template, for: PrivateKey.generate().publicKey, at: now)
    return [leaf, issuer.certificate]
  }

  private func refusal(_ chain: [Certificate], at time: Int64? = nil) -> MappingRefusal.Reason? {
    switch mapper.map(chain, at: time ?? now) {
    case .success: nil
    case .failure(let refusal): refusal.reason
    }
  }

  @Test func `a user's certificate is that user`() throws {
    let chain = try chain(users, .uri("spiffe://gatehouse.local/user/alice"))
    let principal = try mapper.map(chain, at: now).get()
    #expect(principal.kind == .user)
    #expect(principal.name == "alice")
    #expect(principal.issuerPin == users.certificate.publicKeyPin)
    #expect(principal.certificatePin == chain[0].publicKeyPin)
    #expect(principal.groups == ["staff"])
  }

  @Test func `the workspaces' issuer may not sign a user`() throws {
    #expect(
      try refusal(chain(workspaces, .uri("spiffe://gatehouse.local/user/admin"))) == .kind
    )
  }

  @Test func `the users' issuer may not sign a workspace or a plane`() throws {
    #expect(try refusal(chain(users, .uri("spiffe://gatehouse.local/workspace/ws_1"))) == .kind)
    #expect(try refusal(chain(users, .uri("spiffe://gatehouse.local/plane/0"))) == .kind)
  }

  @Test func `another trust domain is refused`() throws {
    #expect(try refusal(chain(users, .uri("spiffe://other/user/alice"))) == .trustDomain)
  }

  @Test func `two URI names are refused, in either order`() throws {
    let good = AlternativeName.uri("spiffe://gatehouse.local/user/alice")
    let bad = AlternativeName.uri("spiffe://gatehouse.local/user/admin")
    #expect(try refusal(chain(users, good, bad)) == .names)
    #expect(try refusal(chain(users, bad, good)) == .names)
    #expect(try refusal(chain(users, good, good)) == .names)
  }

  @Test func `no URI name is refused`() throws {
    #expect(try refusal(chain(users)) == .names)
  }

  @Test func `a name of a kind the issuer may not assert is refused`() throws {
    let uri = AlternativeName.uri("spiffe://gatehouse.local/user/alice")
    #expect(try refusal(chain(users, uri, .dns("localhost"))) == .names)
    #expect(try refusal(chain(users, uri, .address([127, 0, 0, 1]))) == .names)
    #expect(try refusal(chain(users, uri, .email("a@b"))) == .names)
  }

  @Test(arguments: [
    "spiffe://Gatehouse.local/user/alice", "spiffe://gatehouse.local:1/user/alice",
    "spiffe://x@gatehouse.local/user/alice", "spiffe://gatehouse.local/user/a/b",
    "https://gatehouse.local/user/alice",
  ])
  func `a URI that is no strict id is refused`(uri: String) throws {
    #expect(try refusal(chain(users, .uri(uri))) == .identity)
  }

  @Test func `an issuer without an entry asserts nobody`() throws {
    #expect(
      try refusal(chain(stranger, .uri("spiffe://gatehouse.local/user/alice"))) == .unknownIssuer
    )
  }

  @Test func `an issuer slipped into the chain does not count`() throws {
    let leaf = try chain(workspaces, .uri("spiffe://gatehouse.local/user/admin"))[0]
    #expect(
      refusal([leaf, users.certificate, workspaces.certificate]) == .notSignedByIssuer
    )
  }

  @Test func `time is checked at both ends`() throws {
    let chain = try chain(users, .uri("spiffe://gatehouse.local/user/alice"))
    #expect(refusal(chain, at: now - 301) == .notYetValid)
    #expect(refusal(chain, at: now - 300) == nil)
    #expect(refusal(chain, at: now + 3600) == nil)
    #expect(refusal(chain, at: now + 3601) == .expired)
  }

  @Test func `a certificate that is not made for clients is nobody`() throws {
    let alice = AlternativeName.uri("spiffe://gatehouse.local/user/alice")
    #expect(try refusal(chain(users, alice, usages: [.server])) == .usage)
    #expect(try refusal(chain(users, alice, usages: [])) == .usage)
    #expect(try refusal(chain(users, alice, usages: [.server, .client])) == nil)
  }

  @Test func `an authority's own certificate is nobody`() {
    #expect(refusal([users.certificate, users.certificate]) == .authority)
  }

  @Test func `a leaf alone, or nothing, is nobody`() throws {
    let chain = try chain(users, .uri("spiffe://gatehouse.local/user/alice"))
    #expect(refusal([chain[0]]) == .noIssuer)
    #expect(refusal([]) == .noCertificate)
  }
}
