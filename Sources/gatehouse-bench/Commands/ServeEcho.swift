internal import ArgumentParser
internal import EventLoop
internal import Host
internal import PlanePKI
internal import RPC
internal import Sandbox

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
    let pki = try PlanePKI.open(
      in: Host.StateFolder(identities),
      at: Host.ThisProcess.unixTime
    )
    let server = try Server(
      on: loop,
      at: SocketAddress.resolve("127.0.0.1", port: 0)[0],
      tls: pki.serverContext(),
      service: EchoService.service,
      identification: .principals(pki),
      authorization: .asInvoke
    )
    try await server.start()
    StandardStream.output.write("\(server.address.port)\n")
    try await WorkerPool(name: "wait", threads: 1).run { _ = try Readable.wait([0], until: nil) }
    await server.close(RPCStatus(.unavailable, "the benchmark is over"))
  }
}
