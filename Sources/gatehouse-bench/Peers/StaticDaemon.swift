internal import Crypto
internal import EventLoop
internal import FoundationEssentials
internal import Host
internal import Identity
internal import PlanePKI
internal import RPC
internal import SwiftProtobuf
internal import TLS
internal import Wire

/// The daemon's static file, enrolled with a broker of the workbench.
struct StaticDaemon {
  private let command: [String]

  /// The file's absolute path.
  ///
  /// Throws `Missing` when it was not built.
  static func find(_ path: String) throws -> String {
    let files = FileManager.default
    let absolute = path.hasPrefix("/") ? path : "\(files.currentDirectoryPath)/\(path)"
    guard files.isExecutableFile(atPath: absolute) else {
      throw Missing(contestant: "gatehouse", reason: "no \(path); run 'make build'")
    }
    return absolute
  }

  /// Starts a broker and lets the daemon get its certificate, by linking once.
  static func enroll(_ program: String, in workbench: Workbench) async throws -> StaticDaemon {
    let (_, plane) = try await workbench.serve(
      Workbench.ownProgram(),
      ["serve-plane", "--identities", workbench.identities.folder]
    )
    let root = "\(workbench.folder)/work"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    let daemon = StaticDaemon(command: [
      program, "--state", "\(workbench.folder)/daemon", "--root", root,
      "--ca", workbench.identities.authority, "--plane", plane.description,
    ])
    let pki = workbench.identities.pki
    let server = try Server(
      on: EventLoop(name: "enrollment"),
      at: SocketAddress.resolve("127.0.0.1", port: 0)[0],
      tls: pki.openContext(),
      service: OneEnrollment.service(pki, plane)
    )
    try await server.start()
    let token = try workbench.write(Array("any".utf8), to: "token")
    let enrolling = StaticDaemon(
      command: daemon.command + [
        "--enroll-address", "127.0.0.1:\(server.address.port)", "--token-file", token,
      ]
    )
    try await workbench.end(enrolling.link(in: workbench).process)
    await server.close(RPCStatus(.unavailable, "enrolled"))
    return daemon
  }

  /// Starts it and waits until it is linked.
  func link(in workbench: Workbench) async throws -> (process: ChildProcess, time: Duration) {
    let start = ContinuousClock.now
    let process = try await workbench.start(command)
    try await workbench.wait(for: "link_up", from: process, within: .seconds(20))
    return (process, .now - start)
  }
}

/// Gives the one workspace's certificate to whoever asks.
private enum OneEnrollment {
  static func service(_ pki: PlanePKI, _ plane: HostPort) -> Service {
    var service = Service()
    service.unary("/gatehouse.link.v1.Enrollment/Enroll") { bytes, _ in
      let request = try Gatehouse_Link_V1_EnrollRequest(serializedBytes: bytes)
      guard let id = SPIFFEID(pki.trustDomain, .workspace, BenchWorkspaces.id) else {
        preconditionFailure("the workspace's id is no name")
      }
      let asked = try CertificateRequest(der: Array(request.csrDer))
      let chain = try pki.certify(id, asked, at: ThisProcess.unixTime)
      let response = Gatehouse_Link_V1_EnrollResponse.with {
        $0.certificatesDer = chain.map { Data($0.der) }
        $0.authoritiesDer = [Data(pki.authority.der)]
        $0.planeAddress = plane.description
      }
      return try response.serializedBytes()
    }
    return service
  }
}

extension PlanePKI {
  /// The open listener's TLS: no certificate is asked for.
  fileprivate func openContext() throws -> TLSContext {
    let chain = try serverChain.map { try $0.pem }.joined()
    let identity = TLSIdentity(chainPEM: chain, keyPEM: try serverKey.pem)
    return try TLSContext.server(identity: identity, clientAuthoritiesPEM: nil)
  }
}
