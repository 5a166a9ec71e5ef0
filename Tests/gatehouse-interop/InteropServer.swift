internal import ArgumentParser
internal import EventLoop
internal import Host
internal import RPC

/// `gatehouse-interop server`: serves until SIGTERM or SIGINT; then calls under way may end.
struct InteropServer: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "server",
    abstract: "Serves; prints 'ready HOST:PORT' when it does. Port 0 takes a free one."
  )

  @Option(help: "HOST:PORT to listen on.")
  var listen: HostPort

  @OptionGroup var security: SecurityOptions

  func run() async throws {
    let (stops, stop) = AsyncStream<Void>.makeStream()
    try StopSignals.onFirst { stop.finish() }
    let loop = try EventLoop(name: "interop")
    guard let address = try SocketAddress.resolve(listen.host, port: listen.port).first else {
      throw ValidationError("\(listen) has no address")
    }
    let server = try Server(
      on: loop,
      at: address,
      tls: security.serverContext(),
      service: TestService.service(on: loop),
      limits: .interop
    )
    try await server.start()
    try ThisProcess.say("ready \(server.address)\n")
    for await _ in stops {}
    let reason = RPCStatus(.unavailable, "the server is stopping")
    await server.retire(reason, within: .seconds(5))
    loop.stop()
  }
}

extension ConnectionLimits {
  /// Stock peers send up to 4 MiB, compress, and mind being pinged.
  static var interop: ConnectionLimits {
    var limits = ConnectionLimits()
    limits.maxMessageBytes = Int(TestService.maxBytes)
    limits.acceptsGzip = true
    limits.pingInterval = nil
    return limits
  }
}
