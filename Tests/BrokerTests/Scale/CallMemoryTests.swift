import Calls
import RPC
import Testing
import Wire

@testable import Broker

/// What calls cost in memory while they wait, run and have ended.
@Suite(.timeLimit(.minutes(5))) struct `Calls in memory` {
  @Test func `one principal's large requests are bounded until their calls end`() async throws {
    let rig = try await Rig { $0.requestBudgetPerPrincipal = 100_000 }
    let daemon = try await rig.daemon()
    let ann = try await rig.client()
    let request = pattern(0..<60_000)
    let first = try await ann.start(request: request) { $0.detach = true }
    _ = try await first.expectAccepted()
    let second = try await ann.start(request: request) { $0.detach = true }
    let error = await #expect(throws: RPCStatus.self) { try await second.expectAccepted() }
    #expect(error?.code == .resourceExhausted)
    #expect(error?.trailers["retry-after-ms"] == "1000")
    // Small ones are bounded by their number.
    _ = try await ann.start { $0.detach = true }.expectAccepted()

    let offer = try await daemon.expectOffer()
    try await daemon.carry(offer).exit()
    _ = try await first.expectExit()
    _ = try await ann.start(request: request) { $0.detach = true }.expectAccepted()
    await rig.close()
  }

  @Test func `places of ended calls go although one before them goes on`() async throws {
    let rig = try await Rig { $0.endedCalls = 10 }
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    let long = try await client.start()
    let carry = try await daemon.carry(daemon.expectOffer())
    for _ in 0..<200 {
      let call = try await client.start()
      try await daemon.carry(daemon.expectOffer()).exit()
      _ = try await call.expectExit()
    }
    #expect(await rig.broker.placeCount <= 2 * 11 + 64 + 1)
    try await carry.exit()
    _ = try await long.expectExit()
    await rig.close()
  }
}

extension Broker {
  fileprivate var placeCount: Int { board.calls.placeCount }
}
