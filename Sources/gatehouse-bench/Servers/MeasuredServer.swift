internal import EventLoop
internal import Host
internal import PlanePKI
internal import RPC
internal import Sandbox

/// A server under load, in a process of its own so that its CPU time is told apart.
enum MeasuredServer {
  /// Serves on a free port as a plane's mutual listener does, and prints the port. Ends when the
  /// standard input does.
  static func run(
    _ service: Service,
    authorization: Authorization,
    identities: String,
    on loop: EventLoop
  ) async throws {
    let pki = try PlanePKI.open(
      in: Host.StateFolder(identities),
      at: Host.ThisProcess.unixTime
    )
    let server = try Server(
      on: loop,
      at: SocketAddress.resolve("127.0.0.1", port: 0)[0],
      tls: pki.serverContext(),
      service: service,
      identification: .principals(pki),
      authorization: authorization
    )
    try await server.start()
    StandardStream.output.write("\(server.address.port)\n")
    try await waitForInputEnd()
    await server.close(RPCStatus(.unavailable, "the benchmark is over"))
  }

  static func waitForInputEnd() async throws {
    try await WorkerPool(name: "wait", threads: 1).run { _ = try Readable.wait([0], until: nil) }
  }
}
