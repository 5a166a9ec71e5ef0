import EventLoop
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(5))) struct Keepalive {
  private static func loopback(timeout: Duration) async throws -> Loopback {
    var limits = ConnectionLimits()
    (limits.pingInterval, limits.pingTimeout) = (.milliseconds(20), timeout)
    (limits.workBurst, limits.workRate) = (100_000_000, 100_000_000)
    return try await Loopback(limits: limits, isPlaintext: true) {
      $0.unary("/t.T/Large") { _, _ in [UInt8](repeating: 7, count: 24 * 1_048_576) }
    }
  }

  @Test func `a peer that never says anything is cut off, and counted`() async throws {
    let loopback = try await Self.loopback(timeout: .milliseconds(100))
    let client = try RawClient(to: loopback.server.address)
    while await loopback.server.connectionCount > 0 { try Task.checkCancellation() }
    #expect(await loopback.server.counters.limitsReached.map(\.key.rawValue) == ["ping"])
    #expect(client.goAway == nil)
    await loopback.close()
  }

  /// Our PING waits behind our own answer, which it takes its time for.
  @Test func `a slow reader that says it takes more is not cut off`() async throws {
    let loopback = try await Self.loopback(timeout: .seconds(4))
    let client = try RawClient(to: loopback.server.address)
    client.message([], on: client.open("/t.T/Large"), ends: true)
    try client.write()
    while await loopback.server.counters.bytesSent < 1_048_576 { try Task.checkCancellation() }
    let end = ContinuousClock.now + .seconds(5)
    while ContinuousClock.now < end {
      let before = await loopback.server.counters.bytesReceived
      client.takesMore()
      try client.write()
      while await loopback.server.counters.bytesReceived == before,
        await loopback.server.connectionCount > 0
      { await Task.yield() }
      try #require(await loopback.server.connectionCount == 1)
    }
    #expect(await loopback.server.counters.limitsReached.isEmpty)
    await loopback.close()
  }
}
