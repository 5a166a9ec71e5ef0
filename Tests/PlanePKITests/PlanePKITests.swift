internal import Crypto
internal import Glibc
internal import Host
internal import Identity
internal import Testing

@testable internal import PlanePKI

@Suite struct `The plane's PKI` {
  private let now: Int64 = 1_800_000_000
  private let day: Int64 = 86_400
  private let folder: StateFolder

  init() throws {
    let parent = ThisProcess.variable("TMPDIR") ?? "/tmp"
    folder = try StateFolder("\(parent)/gatehouse-pki-\(getpid())-\(UInt64.random(in: 0 ... .max))")
  }

  private func cleanUp() throws {
    let name = try #require(folder.path.split(separator: "/").last)
    try folder.removeFolder("../\(name)")
  }

  private func text(_ name: String) throws -> String {
    String(decoding: try #require(try folder.read(name)), as: UTF8.self)
  }

  @Test func `a first start makes all files, the keys for the account alone`() throws {
    let pki = try PlanePKI.open(in: folder, at: now)
    for name in [
      "pki/ca.key", "pki/workspaces.key", "pki/users.key", "pki/server.key", "client/key.pem",
    ] {
      #expect(try folder.readSecret(name) != nil)
    }
    #expect(try Certificate(pem: text("pki/ca.pem")).der == pki.authority.der)
    #expect(try Certificate(pem: text("client/ca.pem")).der == pki.authority.der)
    let server = try #require(pki.serverChain.first)
    #expect(server.isSigned(by: pki.authority))
    #expect(server.dnsNames == ["localhost"])
    #expect(server.alternativeNames.contains(.address([127, 0, 0, 1])))
    try cleanUp()
  }

  @Test func `the admin's chain maps to the user admin`() throws {
    let pki = try PlanePKI.open(in: folder, at: now)
    let chain = try Certificate.chain(pem: text("client/cert.pem"))
    let admin = try PrincipalMapper(issuers: pki.issuers).map(chain, at: now).get()
    #expect(admin.description == "spiffe://gatehouse.local/user/admin")
    #expect(try PrivateKey(pem: text("client/key.pem")).publicKey.pin == admin.certificatePin)
    try cleanUp()
  }

  @Test func `a later start finds what an earlier one made`() throws {
    let first = try PlanePKI.open(in: folder, at: now)
    let admin = try text("client/cert.pem")
    let second = try PlanePKI.open(in: folder, at: now + day)
    #expect(second.authority.der == first.authority.der)
    #expect(second.serverChain.map(\.der) == first.serverChain.map(\.der))
    #expect(second.userIssuer.certificate.der == first.userIssuer.certificate.der)
    #expect(try text("client/cert.pem") == admin)
    try cleanUp()
  }

  @Test func `past half of their life leaves are renewed with their keys`() throws {
    let first = try PlanePKI.open(in: folder, at: now)
    let second = try PlanePKI.open(in: folder, at: now + 16 * day)
    #expect(second.serverChain[0].der != first.serverChain[0].der)
    #expect(second.serverChain[0].publicKeyPin == first.serverChain[0].publicKeyPin)
    #expect(second.serverChain[0].notAfter == now + 46 * day)
    try cleanUp()
  }

  @Test func `leaves are renewed while it is open, at half of their life`() throws {
    let first = try PlanePKI.open(in: folder, at: now)
    let admin = try text("client/cert.pem")
    // A little before the middle of 30 days, since they begin before now: clocks differ.
    #expect((now + 15 * day - 600...now + 15 * day).contains(first.renewal))
    let early = try first.renewed(in: folder, hosts: [], at: first.renewal - 1)
    #expect(early.serverChain.map(\.der) == first.serverChain.map(\.der))
    let late = try early.renewed(in: folder, hosts: [], at: first.renewal)
    #expect(late.serverChain[0].notAfter == first.renewal + 30 * day)
    #expect(late.serverChain[0].publicKeyPin == first.serverChain[0].publicKeyPin)
    #expect(late.serverChain[0].isSigned(by: first.authority))
    #expect(late.renewal > first.renewal + 14 * day)
    #expect(try text("client/cert.pem") != admin)
    try cleanUp()
  }

  @Test(arguments: ["", "plane.example:7443", "[::1]", "two words", "a..b", "*.example"])
  func `what is no host is refused by name`(host: String) throws {
    #expect {
      try PlanePKI.open(in: folder, hosts: [host], at: now)
    } throws: { "\($0)".hasPrefix("'\(host)' is neither a host's name nor an address") }
    try cleanUp()
  }

  @Test func `a plane reached by another name gets a certificate for it, with its old key`() throws
  {
    let first = try PlanePKI.open(in: folder, at: now)
    let second = try PlanePKI.open(in: folder, hosts: ["localhost", "plane.example"], at: now)
    #expect(second.serverChain[0].dnsNames == ["localhost", "plane.example"])
    #expect(second.serverChain[0].publicKeyPin == first.serverChain[0].publicKeyPin)
    let third = try PlanePKI.open(in: folder, hosts: ["localhost", "plane.example"], at: now)
    #expect(third.serverChain[0].der == second.serverChain[0].der)
    try cleanUp()
  }

  @Test func `a certified workspace is that workspace and no one else`() throws {
    let pki = try PlanePKI.open(in: folder, at: now)
    let id = try #require(SPIFFEID(.development, .workspace, "ws_1"))
    let request = try CertificateRequest(for: .generate())
    let chain = try pki.certify(id, request, at: now)
    #expect(try PrincipalMapper(issuers: pki.issuers).map(chain, at: now).get().id == id)
    #expect(!chain[0].isSigned(by: pki.userIssuer.certificate))
    #expect(!chain[0].isSigned(by: pki.authority))
    try cleanUp()
  }

  @Test(arguments: ["pki/ca.pem", "pki/users.key", "pki/server.pem", "client/key.pem"])
  func `a damaged file is named with the remedy`(name: String) throws {
    _ = try PlanePKI.open(in: folder, at: now)
    try folder.write(Array("-----BEGIN\n".utf8), to: name)
    #expect {
      try PlanePKI.open(in: folder, at: now)
    } throws: { error in
      "\(error)".hasPrefix("\(folder.path(of: name)) is damaged")
        && "\(error)".contains("move the folders pki and client away")
    }
    try cleanUp()
  }

  @Test func `an authority without its key is refused`() throws {
    _ = try PlanePKI.open(in: folder, at: now)
    try folder.remove("pki/users.key")
    #expect {
      try PlanePKI.open(in: folder, at: now)
    } throws: { "\($0)".hasPrefix("\(folder.path(of: "pki/users.key")) is missing") }
    try cleanUp()
  }

  @Test func `a key that others may read is refused`() throws {
    _ = try PlanePKI.open(in: folder, at: now)
    let path = folder.path(of: "pki/ca.key")
    try #require(unsafe chmod(path, 0o644) == 0)
    #expect {
      try PlanePKI.open(in: folder, at: now)
    } throws: { "\($0)".contains("chmod 600 '\(path)'") }
    try cleanUp()
  }

  @Test func `a crash between key and certificate heals at the next start`() throws {
    let first = try PlanePKI.open(in: folder, at: now)
    try folder.remove("pki/users.pem")
    try folder.remove("client/cert.pem")
    let second = try PlanePKI.open(in: folder, at: now)
    #expect(
      second.userIssuer.certificate.publicKeyPin == first.userIssuer.certificate.publicKeyPin
    )
    let chain = try Certificate.chain(pem: text("client/cert.pem"))
    #expect(chain[0].isSigned(by: second.userIssuer.certificate))
    try cleanUp()
  }
}
