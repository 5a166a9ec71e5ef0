internal import ArgumentParser
internal import EventLoop
internal import RPC

/// `gatehouse-bench serve-echo`: the server under load, a process of its own so that its CPU time
/// is told apart. Ends when its standard input does.
struct ServeEcho: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve-echo",
    abstract: "The echo server that is measured.",
    shouldDisplay: false
  )

  @Option(help: "The folder with the keys and certificates.")
  var identities: String

  func run() async throws {
    let loop = try EventLoop(name: "echo")
    try await MeasuredServer.run(
      EchoService.service,
      authorization: .table(for: PlaneMethods.invoke),
      identities: identities,
      on: loop
    )
  }
}
