import Broker
import Calls
import FoundationEssentials
import RPC
import Testing
import Wire

@Suite(.timeLimit(.minutes(5))) struct `Fairness` {
  /// The time that it took is printed; that it is below 100 ms follows from the place in the queue.
  @Test func `with 5,000 calls of one waiting, another's is the next but one`() async throws {
    let rig = try await Rig { options in
      options.admission.queuedPerDaemon = 5_000
      // On a busy machine it takes longer than a ticket; the offers would come again.
      options.timing.claim = .seconds(600)
    }
    let daemon = try await rig.daemon(maxCalls: 1_000)
    for _ in 0..<2 {
      let ann = try await rig.client("ann")
      for _ in 0..<2_516 { _ = try await ann.start() }
    }
    var offers: [Gatehouse_Link_V1_Offer] = []
    for _ in 0..<32 { offers.append(try await daemon.expectOffer()) }
    while await rig.broker.statistics.calls.queued < 5_000 { try Task.checkCancellation() }
    let ben = try await rig.client("ben").start(request: [66])
    let bens = try await ben.expectAccepted().callID
    let began = ContinuousClock.now
    var started: [String] = []
    for offer in offers.prefix(2) {
      _ = try await daemon.carry(offer)
      started.append(try await daemon.expectOffer().callID)
    }
    print("with 5,000 calls waiting, another's first was offered in \(ContinuousClock.now - began)")
    #expect(started.contains(bens))
    await rig.close()
  }

  @Test func `a queue that one has filled takes another's calls`() async throws {
    let rig = try await Rig { $0.admission.queuedPerDaemon = 50 }
    let daemon = try await rig.daemon()
    let ann = try await rig.client("ann")
    for _ in 0..<82 { _ = try await ann.start().expectAccepted() }
    let refused = try await ann.start()
    #expect(
      await #expect(throws: RPCStatus.self) { try await refused.next() }?.code == .resourceExhausted
    )
    let ben = try await rig.client("ben")
    for _ in 0..<25 { _ = try await ben.start().expectAccepted() }
    let beyond = try await ben.start()
    #expect(
      await #expect(throws: RPCStatus.self) { try await beyond.next() }?.code == .resourceExhausted
    )
    _ = try await daemon.expectOffer()
    await rig.close()
  }

  @Test func `calls that wait for a workspace that stays away are turned down`() async throws {
    let rig = try await Rig {
      $0.admission.unclaimedPerDaemon = 1
      $0.timing.stranded = .milliseconds(200)
    }
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    let first = try await client.start { $0.timeoutMs = 86_400_000 }
    _ = try await first.expectAccepted()
    let second = try await client.start { $0.timeoutMs = 86_400_000 }
    _ = try await second.expectAccepted()
    #expect(try await second.next().state.state == .queued)
    await daemon.cut()
    let error = await #expect(throws: RPCStatus.self) { try await second.next() }
    #expect(error?.code == .unavailable)
    #expect(try await first.expectExit().outcome == .lost)
    await rig.close()
  }
}
