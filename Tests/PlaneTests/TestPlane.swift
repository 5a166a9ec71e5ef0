internal import Crypto
internal import EventLoop
internal import FoundationEssentials
internal import Host
internal import RPC
internal import SwiftProtobuf
internal import TLS
internal import Testing
internal import Wire

@testable internal import Plane

/// A plane on loopback with a state folder of its own, and clients for it.
final class TestPlane: Sendable {
  let state: TemporaryState
  let plane: Plane
  private let loop: EventLoop

  init(
    daemon: String = "/bin/false",
    models: PlaneModels = PlaneModels(),
    state: TemporaryState? = nil,
    at addresses: Plane.Addresses? = nil,
    _ change: (inout PlaneConfiguration) -> Void = { _ in }
  ) async throws {
    self.state = try state ?? TemporaryState()
    var configuration = Self.configuration(self.state, daemon: daemon)
    configuration.models = models
    if let addresses {
      configuration.listen = addresses.mutual
      configuration.listenOpen = addresses.open
    }
    change(&configuration)
    plane = try await Plane(configuration)
    loop = try EventLoop(name: "test-client")
  }

  static func configuration(_ state: TemporaryState, daemon: String) -> PlaneConfiguration {
    var configuration = PlaneConfiguration(stateFolder: state.folder.path)
    configuration.listen = HostPort(host: "localhost", port: 0)
    configuration.listenOpen = HostPort(host: "127.0.0.1", port: 0)
    configuration.listenAdmin = HostPort(host: "127.0.0.1", port: 0)
    configuration.daemonProgram = daemon
    configuration.daemonTimeout = .seconds(5)
    return configuration
  }

  func stop() async {
    await plane.stop()
    loop.stop()
  }

  func text(_ name: String) throws -> String {
    String(decoding: try #require(try state.folder.read(name)), as: UTF8.self)
  }

  /// The admin's connection to the mutual listener.
  func admin() async throws -> Connection {
    try await mutual(
      TLSIdentity(chainPEM: text("client/cert.pem"), keyPEM: text("client/key.pem"))
    )
  }

  func mutual(_ identity: TLSIdentity?) async throws -> Connection {
    try await connect(plane.addresses.mutual, identity)
  }

  func open() async throws -> Connection { try await connect(plane.addresses.open, nil) }

  func connect(
    _ address: HostPort,
    _ identity: TLSIdentity?,
    identification: Identification? = nil
  ) async throws -> Connection {
    try await Connection.connect(
      to: address,
      tls: .client(identity: identity, authoritiesPEM: text("client/ca.pem")),
      on: loop,
      identification: identification
    )
  }

  /// Makes a workspace elsewhere; gives its id and join token.
  func external(_ name: String) async throws -> (id: String, token: String) {
    let response: Gatehouse_Plane_V1_CreateWorkspaceResponse = try await admin().ask(
      "/gatehouse.plane.v1.Workspaces/Create",
      Gatehouse_Plane_V1_CreateWorkspaceRequest.with { $0.name = name }
    )
    return (response.workspace.id, response.joinToken)
  }

  /// Enrolls with a token.
  func enroll(_ token: String) async throws -> TLSIdentity {
    let key = try PrivateKey.generate()
    let csr = try CertificateRequest(for: key).der
    let response: Gatehouse_Link_V1_EnrollResponse = try await open().ask(
      "/gatehouse.link.v1.Enrollment/Enroll",
      Gatehouse_Link_V1_EnrollRequest.with {
        $0.token = token
        $0.csrDer = Data(csr)
      }
    )
    return try Self.identity(response.certificatesDer, key)
  }

  /// Sends bytes to the admin listener and reads to the end, on a thread that may block.
  /// `halfCloses`: says behind the request that no more comes, as `nc -N` does.
  func probe(_ request: String, halfCloses: Bool = false) async throws -> String {
    let address = plane.addresses.admin
    let pool = WorkerPool(name: "probe", threads: 1)
    return try await pool.run {
      let target = try #require(try SocketAddress.resolve(address.host, port: address.port).first)
      let socket = try Socket.connecting(to: target)
      let end = ContinuousClock.now + .seconds(10)
      var output = Array(request.utf8)
      var buffer = [UInt8](repeating: 0, count: 4096)
      var answer: [UInt8] = []
      while ContinuousClock.now < end {
        if !output.isEmpty, case .bytes(let count)? = try? socket.write(output.span) {
          output.removeFirst(count)
          if halfCloses, output.isEmpty { socket.closeWriting() }
        }
        guard output.isEmpty else { continue }
        switch try socket.read(into: &buffer, atMost: buffer.count) {
        case .bytes(let count): answer += buffer[..<count]
        case .wouldBlock: continue
        case .end: return String(decoding: answer, as: UTF8.self)
        }
      }
      return "no answer in time"
    }
  }

  /// The value of a line of `/metrics`, `name{labels}`; nil without that line.
  func metric(_ name: String) async throws -> Double? {
    let text = try await probe("GET /metrics HTTP/1.1\r\nHost: plane\r\n\r\n")
    let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name + " ") }
    return line.flatMap { Double($0.dropFirst(name.count + 1)) }
  }

  static func identity(_ chain: [Data], _ key: PrivateKey) throws -> TLSIdentity {
    let pem = try chain.map { try Certificate(der: Array($0)).pem }.joined()
    return TLSIdentity(chainPEM: pem, keyPEM: try key.pem)
  }
}

extension Connection {
  func ask<Response: Message & Sendable>(
    _ path: String,
    _ request: some Message & Sendable
  ) async throws -> Response {
    try Response(serializedBytes: try await unary(path, request.serializedBytes()))
  }
}

/// The status that `body` throws; nil when it throws none.
func status(_ body: () async throws -> Void) async -> RPCStatus? {
  do {
    try await body()
    return nil
  } catch {
    return error as? RPCStatus
  }
}
