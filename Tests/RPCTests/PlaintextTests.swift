import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(5))) struct `Plaintext` {
  @Test(arguments: [0, 1, 300_000])
  func `a call is answered`(size: Int) async throws {
    let loopback = try await Loopback(isPlaintext: true) {
      $0.unary("/t.T/Echo") { request, _ in request }
    }
    let connection = try await loopback.connectInPlaintext()
    let message = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
    #expect(try await connection.unary("/t.T/Echo", message) == message)
    await loopback.close()
  }

  @Test func `what a slow reader has taken takes no memory`() throws {
    var transport = try Transport.server(nil)
    let message = [UInt8](repeating: 7, count: 32_768)
    for _ in 0..<8 { try transport.send(message.span) }
    var most = 0
    for _ in 0..<200 {
      try transport.send(message.span)
      transport.withOutput { _ in message.count }
      most = max(most, transport.heldOutput)
    }
    let left = transport.outputCount
    #expect(left == 8 * message.count)
    #expect(most < 1_048_576)
  }

  @Test func `nobody is identified`() async throws {
    let identification = Identification { certificates in
      certificates.isEmpty ? .failure(RPCStatus(.unauthenticated, "who?")) : .failure(.ok)
    }
    let loopback = try await Loopback(identification: identification, isPlaintext: true) {
      $0.unary("/t.T/Echo") { request, _ in request }
    }
    let connection = try await loopback.connectInPlaintext()
    let error = await #expect(throws: RPCStatus.self) {
      try await connection.unary("/t.T/Echo", [])
    }
    #expect(error == RPCStatus(.unauthenticated, "who?"))
    await loopback.close()
  }

  @Test func `a client in plaintext gets nothing from a TLS port`() async throws {
    var limits = ConnectionLimits()
    limits.drainTimeout = .milliseconds(50)
    let loopback = try await Loopback(limits: limits) {
      $0.unary("/t.T/Echo") { request, _ in request }
    }
    let error = await #expect(throws: RPCStatus.self) {
      let connection = try await loopback.connectInPlaintext()
      _ = try await connection.unary("/t.T/Echo", [])
    }
    #expect(error?.code == .unavailable)
    await loopback.close()
  }
}
