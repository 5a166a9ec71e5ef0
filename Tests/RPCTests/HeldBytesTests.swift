import EventLoop
import Testing

@testable import RPC

/// Messages that are larger than their streams' windows, and are not whole.
@Suite(.timeLimit(.minutes(5))) struct `Messages in parts` {
  private static let size = 262_144
  private static let window = 65_536
  private static let whole = size + 5

  /// The first `count` bytes of a message of `size` bytes.
  private static func begin(_ count: Int, on stream: UInt32, of client: RawClient) {
    var rest = ([0, 0, 4, 0, 0] + [UInt8](repeating: 7, count: count - 5))[...]
    while !rest.isEmpty {
      client.data(rest.prefix(16_384), on: stream)
      rest = rest.dropFirst(16_384)
    }
  }

  /// Sends the rest, of which `sent` bytes are there, as the server lets it; waits for the answer.
  private static func end(_ stream: UInt32, sent: Int, of client: RawClient) throws {
    var sent = sent
    while sent < whole {
      try client.roundTrip()
      if client.ended.contains(stream) { return }
      let room = window + client.credit(of: stream) - sent
      let count = min(whole - sent, room, 16_384)
      guard count > 0 else { continue }
      sent += count
      client.data(ArraySlice(repeating: 7, count: count), on: stream, ends: sent == whole)
    }
    while !client.ended.contains(stream) { try client.roundTrip() }
  }

  private static func loopback(
    _ change: (inout ConnectionLimits) -> Void
  ) async throws -> Loopback {
    var limits = ConnectionLimits()
    change(&limits)
    return try await Loopback(limits: limits, isPlaintext: true) {
      $0.handle("/t.T/Stream") { _ in EchoHandler() }
    }
  }

  @Test func `are held up to a bound, and the others come after them`() async throws {
    let loopback = try await Self.loopback { $0.maxHeldBytes = 1_048_576 }
    let client = try RawClient(to: loopback.server.address)
    let streams = (0..<20).map { _ in client.open("/t.T/Stream") }
    for stream in streams { Self.begin(60_000, on: stream, of: client) }
    try client.roundTrip()
    let credited = streams.filter { client.credit(of: $0) > 0 }
    // Three: four of them, with their prefixes, are a few bytes above the bound.
    #expect(credited == Array(streams.prefix(3)))
    #expect(await loopback.server.counters.limitsReached == [.heldBytes: 17])

    // Each that is whole, or over, makes room for the next; all come to their end.
    client.reset(streams[1])
    for stream in streams where stream != streams[1] {
      try Self.end(stream, sent: 60_000, of: client)
    }
    #expect(client.received == 19 * Self.whole)
    #expect(client.goAway == nil)
    #expect(await loopback.server.promisedBytes == 0)
    await loopback.close()
  }

  @Test func `are bounded for all connections of a peer`() async throws {
    let loopback = try await Self.loopback { $0.listener.maxPartialBytesPerPeer = 1_048_576 }
    let clients = try (0..<2).map { _ in try RawClient(to: loopback.server.address) }
    let streams = try clients.map { client in
      let streams = (0..<12).map { _ in client.open("/t.T/Stream") }
      for stream in streams { Self.begin(60_000, on: stream, of: client) }
      try client.roundTrip()
      return streams
    }
    #expect(clients[0].ended.isEmpty)
    // Eight more come to 480,000 bytes: below its part, which is half of what the peer may hold.
    #expect(clients[1].ended == Set(streams[1].dropFirst(8)))
    #expect(await loopback.server.counters.limitsReached == [.partialBytesOfPeer: 4])

    // What is over holds nothing, and makes room for the rest of what was begun.
    for stream in streams[1].prefix(8) { clients[1].reset(stream) }
    try clients[1].roundTrip()
    for stream in streams[0] { try Self.end(stream, sent: 60_000, of: clients[0]) }
    let again = clients[1].open("/t.T/Stream")
    Self.begin(60_000, on: again, of: clients[1])
    try Self.end(again, sent: 60_000, of: clients[1])
    #expect(clients.map(\.received) == [12 * Self.whole, Self.whole])
    #expect(await loopback.server.held == PeerShares.Held())
    await loopback.close()
  }

  @Test func `that do not become whole are given up`() async throws {
    let loopback = try await Self.loopback { $0.firstMessageTimeout = .milliseconds(200) }
    let client = try RawClient(to: loopback.server.address)
    let stream = client.open("/t.T/Stream")
    client.message([1], on: stream)
    Self.begin(100, on: stream, of: client)
    let other = client.open("/t.T/Stream")
    client.message([1], on: other)
    while !client.ended.contains(stream) { try client.roundTrip() }
    #expect(await loopback.server.counters.limitsReached == [.partialMessage: 1])
    // One that has said all it began is left in peace.
    client.data([], on: other, ends: true)
    while !client.ended.contains(other) { try client.roundTrip() }
    #expect(client.received == 12)
    await loopback.close()
  }
}

extension Server {
  fileprivate var held: PeerShares.Held { shares.total }

  fileprivate var promisedBytes: Int {
    connections.reduce(0) { sum, connection in
      sum + connection.onLoop { $0.table.promisedBytes }
    }
  }
}
