package import Crypto
package import Host
package import Identity

/// The development public-key infrastructure of one plane, kept in its state folder.
///
///     pki/ca.pem, ca.key                  authority of the plane: signs its server certificate only
///     pki/workspaces.pem, workspaces.key  issuer of workspaces
///     pki/users.pem, users.key            issuer of users and services
///     pki/server.pem, server.key          localhost, 127.0.0.1, ::1
///     client/cert.pem, key.pem, ca.pem    the user `admin`, ready for a client
///
/// Three roots with keys of their own, so that who may sign clients cannot pose as the plane, and
/// the issuer of workspaces cannot make a user.
package struct PlanePKI: Sendable {
  package let trustDomain: TrustDomain
  /// What clients trust the plane by.
  package var authority: Certificate { serverIssuer.certificate }
  private let serverIssuer: CertificateIssuer
  package let workspaceIssuer: CertificateIssuer
  package let userIssuer: CertificateIssuer
  /// Leaf first.
  package let serverChain: [Certificate]
  package let serverKey: PrivateKey
  /// When the first of the server's and the admin's certificates is past half of its life, in
  /// seconds since 1970.
  package let renewal: Int64

  /// What client certificates must chain to.
  package var clientAuthorities: [Certificate] {
    [workspaceIssuer.certificate, userIssuer.certificate]
  }

  /// What each issuer may assert.
  package var issuers: IssuerTable {
    var table = IssuerTable()
    table.set(
      IssuerGrant(trustDomain: trustDomain, kinds: [.workspace]),
      forPin: workspaceIssuer.certificate.publicKeyPin
    )
    table.set(
      IssuerGrant(trustDomain: trustDomain, kinds: [.user, .service]),
      forPin: userIssuer.certificate.publicKeyPin
    )
    return table
  }

  /// Loads what is in `folder`, makes what is not, and renews the server's and the admin's
  /// certificates past half of their life. A renewed one keeps its key, so pins stay right.
  ///
  /// `hosts` are names and addresses the plane is reached by besides localhost; `now` is in seconds
  /// since 1970.
  package static func open(
    in folder: StateFolder,
    trustDomain: TrustDomain = .development,
    hosts: [String] = [],
    at now: Int64
  ) throws(PKIError) -> PlanePKI {
    try CertificateTemplate.check(hosts)
    let store = PKIStore(folder: folder)
    try store.makeFolders()
    let authority = try store.issuer("ca", commonName: "Gatehouse plane", at: now)
    let workspaces = try store.issuer("workspaces", commonName: "Gatehouse workspaces", at: now)
    let users = try store.issuer("users", commonName: "Gatehouse users", at: now)
    let pki = try PlanePKI(trustDomain, authority, workspaces, users, store, hosts, at: now)
    try store.write([authority.certificate], to: "client/ca.pem")
    return pki
  }

  /// What is wrong with `hosts` as `open` takes them; for those who only ask.
  package static func problem(withHosts hosts: [String]) -> String? {
    do throws(PKIError) {
      try CertificateTemplate.check(hosts)
      return nil
    } catch {
      return error.description
    }
  }

  /// This, with the server's and the admin's certificates renewed that are past half of their life.
  ///
  /// `folder` and `hosts` are those it was opened with; `now` is in seconds since 1970.
  package func renewed(
    in folder: StateFolder,
    hosts: [String],
    at now: Int64
  ) throws(PKIError) -> PlanePKI {
    let store = PKIStore(folder: folder)
    return try PlanePKI(
      trustDomain,
      serverIssuer,
      workspaceIssuer,
      userIssuer,
      store,
      hosts,
      at: now
    )
  }

  private init(
    _ trustDomain: TrustDomain,
    _ authority: CertificateIssuer,
    _ workspaces: CertificateIssuer,
    _ users: CertificateIssuer,
    _ store: PKIStore,
    _ hosts: [String],
    at now: Int64
  ) throws(PKIError) {
    let server = try store.leaf(
      certificate: "pki/server.pem",
      key: "pki/server.key",
      by: authority,
      .server(hosts),
      at: now
    )
    let admin = try store.leaf(
      certificate: "client/cert.pem",
      key: "client/key.pem",
      by: users,
      .admin(of: trustDomain),
      at: now
    )
    self.trustDomain = trustDomain
    serverIssuer = authority
    workspaceIssuer = workspaces
    userIssuer = users
    serverChain = [server.certificate]
    serverKey = server.key
    renewal = min(server.certificate.halfLife, admin.certificate.halfLife)
  }

  /// A certificate for an identity, with its issuer's after it.
  ///
  /// `now` is in seconds since 1970.
  package func certify(
    _ id: SPIFFEID,
    _ request: CertificateRequest,
    at now: Int64
  ) throws(CryptoError) -> [Certificate] {
    let issuer = id.kind == .workspace ? workspaceIssuer : userIssuer
    let leaf = try issuer.issue(.client(id), for: request.publicKey, at: now)
    return [leaf, issuer.certificate]
  }
}

extension Certificate {
  /// The middle of its life, in seconds since 1970.
  var halfLife: Int64 { notBefore + (notAfter - notBefore) / 2 }
}

/// Why the plane has no keys to work with. Names the file and the remedy.
package struct PKIError: Error, Equatable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
