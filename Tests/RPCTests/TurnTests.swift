import EventLoop
import Metrics
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(5))) struct `A connection's turns` {
  /// Its peer has sent more than a turn has time for, and the loop may sleep meanwhile.
  @Test func `are not taken while its work is put off`() async throws {
    let gate = Gate()
    let loopback = try await Loopback(isPlaintext: true) {
      $0.unary("/t.T/Wait") { _, _ in
        await gate.wait()
        return []
      }
    }
    let client = try RawClient(to: loopback.server.address)
    let count = 400
    for _ in 0..<count {
      client.message([UInt8](repeating: 7, count: 2_048), on: client.open("/t.T/Wait"), ends: true)
    }
    let before = await loopback.server.turns
    try client.write()
    // The handlers' tasks may need this thread.
    while gate.waiting < count {
      try client.write()
      await Task.yield()
    }
    // Each asks for itself would be 400; a loop that does not sleep takes ten times as many.
    #expect(await loopback.server.turns - before < 2_000)
    gate.open()
    await loopback.close()
  }
}

extension Server {
  fileprivate var turns: UInt64 { loop.timing.turns.count }
}
