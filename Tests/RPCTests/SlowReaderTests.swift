import EventLoop
import Testing

@testable import RPC

/// A peer that reads, and takes its time, hears all that was said to it.
@Suite(.timeLimit(.minutes(5))) struct `A slow reader` {
  /// More than sockets hold.
  private static let size = 24 * 1_048_576
  private static let reason = RPCStatus(.unavailable, "maintenance")

  private let gate = Gate()

  private func loopback(drain: Duration = .seconds(60)) async throws -> Loopback {
    var limits = ConnectionLimits()
    limits.drainTimeout = drain
    return try await Loopback(limits: limits, isPlaintext: true) { [gate] in
      $0.unary("/t.T/Large") { _, _ in
        await gate.wait()
        return [UInt8](repeating: 7, count: Self.size)
      }
      $0.handle("/t.T/Open") { _ in Talker(Self.size) }
    }
  }

  /// Asks, and is heard.
  private static func ask(_ path: String, _ loopback: Loopback) async throws -> RawClient {
    let client = try RawClient(to: loopback.server.address)
    client.message([], on: client.open(path), ends: true)
    try client.write()
    while await loopback.server.streamCount == 0 { try Task.checkCancellation() }
    return client
  }

  @Test func `has the whole answer when the server retires`() async throws {
    let loopback = try await loopback()
    let client = try await Self.ask("/t.T/Large", loopback)
    let retired = Task { await loopback.server.retire(Self.reason, within: .seconds(120)) }
    // Both steps are behind it before it is answered.
    while client.goAwayText != Self.reason.message { try await client.read() }
    while gate.waiting == 0 { await Task.yield() }
    gate.open()
    while await loopback.server.streamCount > 0 { try await client.read() }
    #expect(client.received < Self.size)
    try await client.readAll()
    #expect(client.received == Self.size + MessageAssembler.prefixBytes)
    #expect(client.ended == [1])
    await loopback.close()
    await retired.value
  }

  @Test func `has the whole answer when it said that it goes away`() async throws {
    let loopback = try await loopback()
    let client = try await Self.ask("/t.T/Large", loopback)
    client.goingAway()
    try client.write()
    while gate.waiting == 0 { await Task.yield() }
    gate.open()
    while await loopback.server.streamCount > 0 { try await client.read() }
    try await client.readAll()
    #expect(client.received == Self.size + MessageAssembler.prefixBytes)
    #expect(client.ended == [1])
    await loopback.close()
  }

  @Test func `hears how its call ended, and why, when it is dismissed`() async throws {
    let loopback = try await loopback()
    let client = try await Self.ask("/t.T/Open", loopback)
    while client.received < 1_048_576 { try await client.read() }
    for connection in await loopback.server.connections { await connection.dismiss(Self.reason) }
    try await client.readAll()
    #expect(client.received == Self.size + MessageAssembler.prefixBytes)
    #expect(client.ended == [1])
    #expect(client.goAwayText == Self.reason.message)
    await loopback.close()
  }

  @Test func `that reads no more keeps nobody`() async throws {
    let loopback = try await loopback(drain: .milliseconds(50))
    let client = try await Self.ask("/t.T/Open", loopback)
    for connection in await loopback.server.connections { await connection.dismiss(Self.reason) }
    while await loopback.server.connectionCount > 0 { try Task.checkCancellation() }
    #expect(client.ended.isEmpty)
    await loopback.close()
  }
}

/// Says one long thing, and does not end.
private final class Talker: ServerHandler {
  private let size: Int

  init(_ size: Int) { self.size = size }

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    call.credit(credit)
    call.send([UInt8](repeating: 7, count: size))
  }

  func halfClosed(_ call: ServerCall) {}

  func ended(_ status: RPCStatus, _ call: ServerCall) {}
}
