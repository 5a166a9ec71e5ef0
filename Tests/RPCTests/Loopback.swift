import EventLoop
import TLS
import TestSupport

@testable import RPC

/// A server on loopback and the means to connect to it; each with a loop of its own.
struct Loopback {
  let pki: TestPKI
  let server: Server
  let clientLoop: EventLoop

  init(
    identification: Identification? = nil,
    authorization: Authorization? = nil,
    limits: ConnectionLimits = ConnectionLimits(),
    isPlaintext: Bool = false,
    _ build: (inout Service) -> Void
  ) async throws {
    pki = try TestPKI()
    var service = Service()
    build(&service)
    let addresses = try SocketAddress.resolve("127.0.0.1", port: 0)
    server = try Server(
      on: EventLoop(name: "test server"),
      at: addresses[0],
      tls: isPlaintext ? nil : pki.mutualServer(),
      service: service,
      identification: identification,
      authorization: authorization,
      limits: limits
    )
    clientLoop = try EventLoop(name: "test client")
    try await server.start()
  }

  func connect(
    _ tls: TLSContext? = nil,
    limits: ConnectionLimits = ConnectionLimits()
  ) async throws -> Connection {
    try await Connection.connect(
      to: HostPort(host: "127.0.0.1", port: server.address.port),
      tls: tls ?? pki.clientContext(),
      on: clientLoop,
      limits: limits
    )
  }

  func connectInPlaintext(
    limits: ConnectionLimits = ConnectionLimits()
  ) async throws -> Connection {
    try await Connection.connect(
      to: HostPort(host: "127.0.0.1", port: server.address.port),
      tls: nil,
      on: clientLoop,
      limits: limits
    )
  }

  func close() async {
    await server.close(RPCStatus(.unavailable, "the test is over"))
    server.loop.stop()
    clientLoop.stop()
  }
}

/// Sends each message back and ends when the client does.
final class EchoHandler: ServerHandler {
  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    call.credit(credit)
    call.send(message)
  }

  func halfClosed(_ call: ServerCall) { call.finish(.ok) }

  func ended(_ status: RPCStatus, _ call: ServerCall) {}
}
