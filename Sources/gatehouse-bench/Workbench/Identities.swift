internal import Crypto
internal import FoundationEssentials
internal import Host
internal import Identity
internal import PlanePKI
internal import TLS

/// The keys and certificates of a measurement, as files: the plane's own kind.
struct Identities: Sendable {
  /// Laid out as a plane's state folder; see `PlanePKI`.
  let folder: String
  let pki: PlanePKI

  init(in folder: String) throws {
    self.folder = folder
    pki = try PlanePKI.open(in: StateFolder(folder), at: ThisProcess.unixTime)
    try join("pki/server.pem", "pki/server.key", into: "server-with-key.pem")
    try join("client/cert.pem", "client/key.pem", into: "client-with-key.pem")
    try keepWorkspace()
    try join("pki/users.pem", "pki/workspaces.pem", into: "client-authorities.pem")
  }

  var serverCertificate: String { "\(folder)/pki/server.pem" }
  var serverKey: String { "\(folder)/pki/server.key" }
  /// Certificate and key in one file, as HAProxy wants them.
  var serverWithKey: String { "\(folder)/server-with-key.pem" }
  var clientWithKey: String { "\(folder)/client-with-key.pem" }
  /// A user's.
  var clientCertificate: String { "\(folder)/client/cert.pem" }
  var clientKey: String { "\(folder)/client/key.pem" }
  /// What servers' certificates chain to.
  var authority: String { "\(folder)/client/ca.pem" }
  /// What clients' certificates chain to.
  var clientAuthorities: String { "\(folder)/client-authorities.pem" }

  /// The user's TLS, for clients of ours.
  func clientContext() throws -> TLSContext {
    try context(certificate: clientCertificate, key: clientKey)
  }

  /// The TLS of the workspace's daemon.
  func workspaceContext() throws -> TLSContext {
    try context(certificate: "\(folder)/workspace.pem", key: "\(folder)/workspace.key")
  }

  private func context(certificate: String, key: String) throws -> TLSContext {
    try TLSContext.client(
      identity: TLSIdentity(chainPEM: text(certificate), keyPEM: text(key)),
      authoritiesPEM: text(authority)
    )
  }

  /// The TLS of a daemon of the workspace `id`, with a certificate made for it now.
  func workspaceContext(for id: String) throws -> TLSContext {
    let (chain, key) = try certify(id)
    return try TLSContext.client(
      identity: TLSIdentity(chainPEM: chain, keyPEM: key),
      authoritiesPEM: text(authority)
    )
  }

  private func keepWorkspace() throws {
    let (chain, key) = try certify(BenchWorkspaces.id)
    try write(chain, to: "workspace.pem")
    try write(key, to: "workspace.key")
  }

  private func certify(_ workspace: String) throws -> (chainPEM: String, keyPEM: String) {
    guard let id = SPIFFEID(pki.trustDomain, .workspace, workspace) else {
      preconditionFailure("the workspace's id is no name")
    }
    let key = try PrivateKey.generate()
    let chain = try pki.certify(id, CertificateRequest(for: key), at: ThisProcess.unixTime)
    return (try chain.map { try $0.pem }.joined(), try key.pem)
  }

  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  private func join(_ first: String, _ second: String, into name: String) throws {
    let both = try text("\(folder)/\(first)") + text("\(folder)/\(second)")
    try write(both, to: name)
  }

  private func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
  }
}
