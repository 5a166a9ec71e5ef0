import Testing

@testable import RPC

struct PeerSharesTests {
  private static func shares(_ change: (inout ListenerLimits) -> Void) -> PeerShares {
    var limits = ListenerLimits()
    change(&limits)
    return PeerShares(limits)
  }

  @Test func `a peer's connections are counted together, and forgotten with the last`() {
    let shares = Self.shares { $0.maxPartialBytesPerPeer = 100 }
    let first = shares.join("anna")
    let second = shares.join("anna")
    first.hold(partial: 60)
    second.hold(partial: 40)
    #expect(first === second)
    #expect(shares.partialLimit(for: first) == nil)
    second.hold(partial: 1)
    #expect(shares.partialLimit(for: first) == .partialBytesOfPeer)
    #expect(shares.partialLimit(for: shares.join("ben")) == nil)
    first.hold(partial: -101)
    shares.leave(first)
    #expect(shares.count == 2)
    shares.leave(second)
    #expect(shares.count == 1)
    #expect(shares.total == PeerShares.Held())
  }

  @Test func `a peer's connections that hold less than their part go on, up to twice the bound`() {
    let shares = Self.shares { $0.maxPartialBytesPerPeer = 100 }
    let share = (0..<4).map { _ in shares.join("anna") }[0]
    share.hold(partial: 101)
    #expect(shares.partialLimit(for: share, holding: 101) == .partialBytesOfPeer)
    #expect(shares.partialLimit(for: share, holding: 25) == .partialBytesOfPeer)
    #expect(shares.partialLimit(for: share, holding: 24) == nil)
    share.hold(partial: 99)
    #expect(shares.partialLimit(for: share, holding: 0) == nil)
    share.hold(partial: 1)
    #expect(shares.partialLimit(for: share, holding: 0) == .partialBytesOfPeer)
  }

  @Test func `where all hold too much, those stop who hold more than their part`() {
    let shares = Self.shares { $0.maxPartialBytes = 100 }
    let peers = ["anna", "ben", "chloe", "dan"].map(shares.join)
    peers[0].hold(partial: 80)
    peers[1].hold(partial: 25)
    #expect(peers.map(shares.partialLimit) == [.partialBytes, nil, nil, nil])
    peers[1].hold(partial: 1)
    #expect(peers.map(shares.partialLimit) == [.partialBytes, .partialBytes, nil, nil])
  }

  @Test func `answers that wait are bounded likewise, and calls from a quarter of that on`() {
    let shares = Self.shares {
      $0.maxQueuedBytesPerPeer = 400
      $0.maxQueuedBytes = 600
    }
    let anna = shares.join("anna")
    let ben = shares.join("ben")
    anna.hold(queued: 101)
    #expect(shares.queuedLimit(for: anna) == nil)
    #expect(shares.queuedLimit(for: anna, part: 4) == .queuedBytesOfPeer)
    #expect(shares.queuedLimit(for: ben, part: 4) == nil)
    anna.hold(queued: 299)
    ben.hold(queued: 201)
    #expect(shares.queuedLimit(for: anna) == .queuedBytesInAll)
    #expect(shares.queuedLimit(for: ben) == nil)
    anna.hold(queued: 1)
    #expect(shares.queuedLimit(for: anna) == .queuedBytesOfPeer)
  }
}
