import EventLoop
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(5))) struct `A full port` {
  @Test func `gives up the oldest connection for a new one, and says so`() async throws {
    var limits = ConnectionLimits()
    limits.listener.maxConnections = 2
    limits.listener.givesUpOldest = true
    let loopback = try await Loopback(limits: limits) {
      $0.handle("/t.T/Stream") { _ in EchoHandler() }
    }
    var streams: [ClientStream] = []
    for _ in 0..<2 {
      let stream = try await loopback.connect().openStream("/t.T/Stream")
      try await stream.send([1])
      #expect(try await stream.next() == [1])
      streams.append(stream)
    }
    let newest = try await loopback.connect().openStream("/t.T/Stream")
    try await newest.send([2])
    #expect(try await newest.next() == [2])
    let error = await #expect(throws: RPCStatus.self) { try await streams[0].next() }
    #expect(error?.code == .unavailable)
    #expect(error?.message.contains("gave way") == true)
    try await streams[1].send([3])
    #expect(try await streams[1].next() == [3])
    #expect(await loopback.server.counters.limitsReached == [.connections: 1])
    await loopback.close()
  }
}
