import HTTP2
import Testing

@testable import RPC

/// Calls of one request, which is kept until they are over.
@Suite(.timeLimit(.minutes(5))) struct `A request that is here` {
  private static func loopback(
    _ change: (inout ConnectionLimits) -> Void
  ) async throws -> Loopback {
    var limits = ConnectionLimits()
    change(&limits)
    return try await Loopback(limits: limits, isPlaintext: true) {
      $0.unary("/t.T/Echo") { request, _ in request }
    }
  }

  @Test func `and whose end does not come is given up`() async throws {
    let loopback = try await Self.loopback { $0.firstMessageTimeout = .milliseconds(200) }
    let client = try RawClient(to: loopback.server.address)
    let stream = client.open("/t.T/Echo")
    client.message([1], on: stream)
    while !client.ended.contains(stream) { try client.roundTrip() }
    #expect(await loopback.server.counters.limitsReached == [.partialMessage: 1])
    #expect(client.received == 0)
    await loopback.close()
  }

  @Test func `counts with its peer's others, and its header fields, until it is over`() async throws
  {
    let loopback = try await Self.loopback { $0.listener.maxPartialBytesPerPeer = 40_000 }
    let client = try RawClient(to: loopback.server.address)
    let streams = (0..<3).map { _ in client.open("/t.T/Echo") }
    try client.roundTrip()
    let fields = await loopback.server.shares.total.partial
    #expect(fields > 3 * 100)
    let request = [UInt8](repeating: 7, count: 16_000)
    for stream in streams { client.message(request, on: stream) }
    try client.roundTrip()
    #expect(client.ended == [streams[2]])
    #expect(await loopback.server.counters.limitsReached == [.partialBytesOfPeer: 1])

    client.data([], on: streams[0], ends: true)
    client.reset(streams[1])
    while !client.ended.contains(streams[0]) { try client.roundTrip() }
    #expect(client.received == 16_005)
    let again = client.open("/t.T/Echo")
    client.message(request, on: again, ends: true)
    while !client.ended.contains(again) { try client.roundTrip() }
    #expect(client.received == 2 * 16_005)
    #expect(await loopback.server.shares.total == PeerShares.Held())
    await loopback.close()
  }

  @Test func `counts on when trailers come behind it`() {
    let table = StreamTable(isServer: true, limits: ConnectionLimits())
    func block() {
      table.headersBegan(on: 1)
      table.header(on: 1, name: Array("x".utf8).span, value: Array("value".utf8).span)
      table.headersEnded(on: 1)
    }
    block()
    let fields = table.keptBytes
    #expect(fields == 1 + 5 + 32)
    #expect(table.state(1).map { table.keepRequest(ofBytes: 1_000, of: $0) } == .some(nil))
    block()
    #expect(table.keptBytes == 2 * fields + 1_000)
    table.closed(1, .noError)
    #expect(table.keptBytes == 0)
  }
}
