import EventLoop
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(5))) struct `A peer that breaks HTTP2` {
  /// nghttp2 answers by itself.
  @Test func `is told so, and counted`() async throws {
    let loopback = try await Loopback(isPlaintext: true) {
      $0.unary("/t.T/Echo") { request, _ in request }
    }
    let client = try RawClient(to: loopback.server.address)
    client.brokenPing()
    while client.goAway == nil { try await client.read() }
    #expect(client.goAway == 6)  // FRAME_SIZE_ERROR
    #expect(await loopback.server.counters.protocolErrors == 1)
    #expect(await loopback.server.counters.limitsReached.isEmpty)
    await loopback.close()
  }

  @Test func `by the first bytes is counted once`() async throws {
    let loopback = try await Loopback(isPlaintext: true) {
      $0.unary("/t.T/Echo") { request, _ in request }
    }
    let socket = try Socket.connecting(to: loopback.server.address)
    let garbage = Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
    while case .wouldBlock = (try? socket.write(garbage.span)) ?? .wouldBlock {}
    while await loopback.server.counters.protocolErrors == 0 { try Task.checkCancellation() }
    #expect(await loopback.server.counters.protocolErrors == 1)
    await loopback.close()
    _ = socket.localAddress
  }
}
