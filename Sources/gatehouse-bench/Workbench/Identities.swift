internal import EventLoop
internal import FoundationEssentials
internal import Host
internal import PlanePKI
internal import RPC
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
    try TLSContext.client(
      identity: TLSIdentity(chainPEM: text(clientCertificate), keyPEM: text(clientKey)),
      authoritiesPEM: text(authority)
    )
  }

  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  private func join(_ first: String, _ second: String, into name: String) throws {
    let both = try text("\(folder)/\(first)") + text("\(folder)/\(second)")
    try Data(both.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
  }
}
