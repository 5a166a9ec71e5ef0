import Broker
import Crypto
import EventLoop
import Identity
import RPC
import Synchronization
import TLS
import TestSupport
import Wire

/// A broker behind a real mutual listener on loopback.
struct Rig {
  let pki: TestPKI
  let server: Server
  let broker: Broker
  let directory = TwoWorkspaces()
  private let clientLoop: EventLoop

  init(
    limits: ConnectionLimits = ConnectionLimits(),
    _ change: (inout BrokerOptions) -> Void = { _ in }
  ) async throws {
    var options = BrokerOptions()
    // A scripted daemon says what it is told to and nothing between, which can take minutes.
    options.heartbeat = .seconds(600)
    options.inventoryTime = .seconds(600)
    change(&options)
    pki = try TestPKI()
    let loop = try EventLoop(name: "broker")
    clientLoop = try EventLoop(name: "peers")
    broker = Broker(on: loop, directory: directory, options: options)
    server = try Server(
      on: loop,
      at: SocketAddress.resolve("127.0.0.1", port: 0)[0],
      tls: pki.mutualServer(),
      service: broker.service,
      identification: Self.identification,
      limits: limits
    )
    try await server.start()
  }

  func connect(as uri: String) async throws -> Connection {
    try await Connection.connect(
      to: HostPort(host: "127.0.0.1", port: server.address.port),
      tls: pki.clientContext(uri),
      on: clientLoop
    )
  }

  func client(_ name: String = "ann") async throws -> ScriptedClient {
    ScriptedClient(connection: try await connect(as: "spiffe://test/user/\(name)"))
  }

  func daemon(
    of workspace: String = "ws_one",
    instance: UInt8 = 1,
    knowing calls: [String] = [],
    maxCalls: Int = 100,
    capabilities: [String] = [],
    ended exit: Gatehouse_Tools_V1_Exit? = nil
  ) async throws -> ScriptedDaemon {
    let connection = try await connect(as: "spiffe://test/workspace/\(workspace)")
    let daemon = try await ScriptedDaemon(
      connection,
      instance: instance,
      knowing: calls,
      maxCalls: maxCalls,
      capabilities: capabilities,
      ended: exit
    )
    // The client's next request must not overtake the inventory.
    while await !broker.waitForLink(of: workspace, within: .seconds(30)) {
      try Task.checkCancellation()
    }
    return daemon
  }

  func close() async {
    await server.close(RPCStatus(.unavailable, "the test is over"))
    server.loop.stop()
    clientLoop.stop()
  }

  /// The one URI name of a certificate is its principal.
  private static let identification = Identification { chain in
    guard let leaf = chain.first, let certificate = try? Certificate(der: leaf),
      let uri = certificate.uriNames.first, let id = SPIFFEID(uri)
    else { return .failure(RPCStatus(.unauthenticated, "no SPIFFE id")) }
    let principal = Principal(
      id: id,
      issuerPin: "issuer",
      certificatePin: certificate.publicKeyPin
    )
    return .success(.init(identity: principal, validFor: nil))
  }
}

final class TwoWorkspaces: WorkspaceDirectory {
  private let areStopped = Mutex(false)

  private var entries: [WorkspaceEntry] {
    let areStopped = areStopped.withLock { $0 }
    return ["one", "two"].map {
      WorkspaceEntry(id: "ws_\($0)", name: $0, isStopped: areStopped)
    }
  }

  func stop() { areStopped.withLock { $0 = true } }

  func find(_ idOrName: String, for principal: Principal) -> WorkspaceEntry? {
    entries.first { $0.id == idOrName || $0.name == idOrName }
  }

  func workspace(id: String) -> WorkspaceEntry? { entries.first { $0.id == id } }
}

extension Principal {
  /// Who a scripted client of this name is.
  static func test(_ name: String) -> Principal {
    guard let id = SPIFFEID("spiffe://test/user/\(name)") else {
      preconditionFailure("'\(name)' is no name")
    }
    return Principal(id: id, issuerPin: "issuer", certificatePin: "certificate")
  }
}
