internal import ArgumentParser
internal import Broker
internal import EventLoop
internal import Host
internal import Identity
internal import Plane

/// `gatehouse-bench serve-plane`: the broker under load. Ends when its standard input does.
struct ServePlane: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve-plane",
    abstract: "The broker that is measured.",
    shouldDisplay: false
  )

  @Option(help: "The folder with the keys and certificates.")
  var identities: String

  @Option(help: "The folder of a ledger that calls are recorded in; without it none is.")
  var ledger: String?

  @Option(help: "The folder that output is kept in, where a call asks for it; without it none is.")
  var spool: String?

  func run() async throws {
    let loop = try EventLoop(name: "broker")
    guard let ledger else {
      var options = BrokerOptions()
      options.spool = try spool.map { try SpoolStore(in: StateFolder($0)) }
      return try await serve(Broker(on: loop, directory: BenchWorkspaces(), options: options))
    }
    let recorded = try RecordedBroker(
      in: StateFolder(ledger),
      of: .development,
      on: loop,
      directory: BenchWorkspaces()
    )
    try await serve(recorded.broker)
    await recorded.close()
  }

  private func serve(_ broker: Broker) async throws {
    try await MeasuredServer.run(
      broker.service,
      authorization: .table(),
      identities: identities,
      on: broker.loop
    )
  }
}

/// Workspaces that everyone may use: the one that calls go to, and any number of idle ones.
struct BenchWorkspaces: WorkspaceDirectory {
  static let id = "ws_bench"

  static func idle(_ number: Int) -> String { "\(id)_idle_\(number)" }

  func find(_ idOrName: String, for principal: Principal) -> WorkspaceEntry? {
    workspace(id: idOrName)
  }

  func workspace(id: String) -> WorkspaceEntry? {
    id.hasPrefix(Self.id) ? WorkspaceEntry(id: id, name: id) : nil
  }
}
