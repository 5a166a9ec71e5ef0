import EventLoop
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(5))) struct `Going away` {
  private static let reason = RPCStatus(.unavailable, "maintenance")

  private static func build(_ service: inout Service) {
    service.unary("/t.T/Echo") { request, _ in request }
    service.handle("/t.T/Stream") { _ in EchoHandler() }
  }

  @Test func `a server that retires ends the calls under way well`() async throws {
    let loopback = try await Loopback(Self.build)
    let connection = try await loopback.connect()
    let stream = try await connection.openStream("/t.T/Stream")
    try await stream.send([1])
    #expect(try await stream.next() == [1])

    async let end: Void = loopback.server.retire(Self.reason, within: .seconds(30))
    // The first GOAWAY refuses nothing, but tells the client.
    while await !connection.isGoingAway { await Task.yield() }
    let error = await #expect(throws: RPCStatus.self) {
      try await connection.unary("/t.T/Echo", [])
    }
    #expect(error?.isUnprocessed == true)

    try await stream.send([2])
    #expect(try await stream.next() == [2])
    await stream.halfClose()
    #expect(try await stream.next() == nil)
    await end
    await loopback.close()
  }

  @Test func `what is not over in time ends with the reason`() async throws {
    let loopback = try await Loopback(Self.build)
    let stream = try await loopback.connect().openStream("/t.T/Stream")
    try await stream.send([1])
    #expect(try await stream.next() == [1])
    await loopback.server.retire(Self.reason, within: .milliseconds(50))
    let error = await #expect(throws: RPCStatus.self) { try await stream.next() }
    #expect(error?.description == "UNAVAILABLE: maintenance")
    await loopback.close()
  }

  @Test func `an idle connection ends at once`() async throws {
    let loopback = try await Loopback(Self.build)
    let connection = try await loopback.connect()
    #expect(try await connection.unary("/t.T/Echo", [1]) == [1])
    await loopback.server.retire(Self.reason, within: .seconds(30))
    await connection.closed()
    #expect(await loopback.server.connectionCount == 0)
    await loopback.close()
  }

  @Test func `a connection without calls ends after a while, one with a call stays`() async throws {
    var limits = ConnectionLimits()
    limits.pingInterval = .milliseconds(50)
    // Long enough for a slow machine to open a stream on a connection that it has just made.
    limits.idleTimeout = .seconds(1)
    let loopback = try await Loopback(limits: limits, Self.build)
    let stream = try await loopback.connect().openStream("/t.T/Stream")
    try await stream.send([1])
    #expect(try await stream.next() == [1])
    let idle = try await loopback.connect()
    await idle.closed()
    #expect(await loopback.server.counters.limitsReached == [.idle: 1])
    try await stream.send([2])
    #expect(try await stream.next() == [2])
    await loopback.close()
  }

  @Test func `a client that retires ends its calls well`() async throws {
    let loopback = try await Loopback(Self.build)
    let connection = try await loopback.connect()
    let stream = try await connection.openStream("/t.T/Stream")
    try await stream.send([1])
    #expect(try await stream.next() == [1])
    await connection.retire(Self.reason, within: .seconds(30))
    try await stream.send([2])
    #expect(try await stream.next() == [2])
    await stream.halfClose()
    #expect(try await stream.next() == nil)
    await connection.closed()
    await loopback.close()
  }
}

extension Connection {
  fileprivate var callCount: Int { table.count }
}

@Suite(.timeLimit(.minutes(5))) struct `A server's limit of streams` {
  @Test func `calls above it wait for their turn`() async throws {
    var limits = ConnectionLimits()
    limits.maxConcurrentStreams = 2
    let loopback = try await Loopback(limits: limits) {
      $0.handle("/t.T/Stream") { _ in EchoHandler() }
      $0.unary("/t.T/Echo") { request, _ in request }
    }
    let connection = try await loopback.connect()
    // Its answer comes after the server's SETTINGS.
    _ = try await connection.unary("/t.T/Echo", [])
    var streams: [ClientStream] = []
    for number in 0..<6 {
      let stream = try await connection.openStream("/t.T/Stream")
      try await stream.send([UInt8(number)])
      streams.append(stream)
    }
    for (number, stream) in streams.enumerated() {
      #expect(try await stream.next() == [UInt8(number)])
      await stream.halfClose()
      #expect(try await stream.next() == nil)
    }
    await loopback.close()
  }

  @Test func `a call that waits can be cancelled, and leaves nothing behind`() async throws {
    var limits = ConnectionLimits()
    limits.maxConcurrentStreams = 1
    let loopback = try await Loopback(limits: limits) {
      $0.handle("/t.T/Stream") { _ in EchoHandler() }
      $0.unary("/t.T/Echo") { request, _ in request }
    }
    let connection = try await loopback.connect()
    // Its answer comes after the server's SETTINGS.
    _ = try await connection.unary("/t.T/Echo", [])
    let first = try await connection.openStream("/t.T/Stream")
    try await first.send([1])
    #expect(try await first.next() == [1])
    let second = try await connection.openStream("/t.T/Stream", timeout: .milliseconds(20))
    let error = await #expect(throws: RPCStatus.self) { try await second.next() }
    #expect(error?.code == .deadlineExceeded)
    await first.halfClose()
    #expect(try await first.next() == nil)
    let third = try await connection.openStream("/t.T/Stream")
    try await third.send([3])
    #expect(try await third.next() == [3])
    #expect(await connection.callCount == 1)
    await third.halfClose()
    #expect(try await third.next() == nil)
    await loopback.close()
  }
}
