internal import ArgumentParser
internal import Broker
internal import EventLoop
internal import Identity

/// `gatehouse-bench serve-plane`: the broker under load. Ends when its standard input does.
struct ServePlane: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve-plane",
    abstract: "The broker that is measured.",
    shouldDisplay: false
  )

  @Option(help: "The folder with the keys and certificates.")
  var identities: String

  func run() async throws {
    let loop = try EventLoop(name: "broker")
    let broker = Broker(on: loop, directory: OneWorkspace())
    try await MeasuredServer.run(
      broker.service,
      authorization: .table(),
      identities: identities,
      on: loop
    )
  }
}

/// The workspace that everyone may use.
struct OneWorkspace: WorkspaceDirectory {
  static let id = "ws_bench"

  func find(_ idOrName: String, for principal: Principal) -> WorkspaceEntry? {
    workspace(id: idOrName)
  }

  func workspace(id: String) -> WorkspaceEntry? {
    id == Self.id ? WorkspaceEntry(id: id, name: "bench") : nil
  }
}
