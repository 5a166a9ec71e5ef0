import Synchronization
import Testing

@testable import RPC

/// A call that has its status: what comes behind it in the same packet does nothing.
@Suite(.timeLimit(.minutes(1))) struct `A refused call` {
  @Test func `runs nothing, though a good request came with the bad one`() async throws {
    let runs = Counter()
    let loopback = try await Loopback(isPlaintext: true) {
      $0.unary("/t.T/Echo") { request, _ in
        runs.add()
        return request
      }
    }
    let client = try RawClient(to: loopback.server.address)
    let stream = client.open("/t.T/Echo")
    client.message([1], on: stream)
    client.message([2], on: stream, ends: true)
    while !client.ended.contains(stream) { try client.roundTrip() }
    let again = client.open("/t.T/Echo")
    client.message([3], on: again, ends: true)
    while !client.ended.contains(again) { try client.roundTrip() }
    #expect(runs.count == 1)
    #expect(client.received == 6)
    await loopback.close()
  }

  @Test func `hands its handler nothing more, and takes what comes off the window`() async throws {
    let heard = Counter()
    let loopback = try await Loopback(isPlaintext: true) {
      $0.handle("/t.T/First") { _ in RefusesFirst(heard) }
    }
    let client = try RawClient(to: loopback.server.address)
    let stream = client.open("/t.T/First")
    for byte in 1...9 { client.message([UInt8(byte)], on: stream, ends: byte == 9) }
    while !client.ended.contains(stream) { try client.roundTrip() }
    #expect(heard.count == 1)
    await loopback.close()
  }
}

private final class Counter: Sendable {
  private let value = Mutex(0)

  var count: Int { value.withLock { $0 } }

  func add() { value.withLock { $0 += 1 } }
}

private final class RefusesFirst: ServerHandler {
  private let heard: Counter

  init(_ heard: Counter) { self.heard = heard }

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    heard.add()
    call.credit(credit)
    call.finish(RPCStatus(.invalidArgument, "not that"))
  }

  func halfClosed(_ call: ServerCall) { heard.add() }

  func ended(_ status: RPCStatus, _ call: ServerCall) {}
}
