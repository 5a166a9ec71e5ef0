internal import HTTP2
internal import Testing

@testable internal import RPC

@Suite struct `Peer budget` {
  private let start = ContinuousClock.now

  @Test func `work is bounded at once, and then by time`() {
    var budget = PeerBudget(limits())
    #expect(budget.spend(work(100), at: start) == nil)
    #expect(budget.spend(work(10), at: start + .seconds(1)) == nil)
    #expect(budget.spend(work(1), at: start + .seconds(1))?.0 == .work)
  }

  @Test func `what we send lets the peer answer with window updates`() {
    var budget = PeerBudget(limits())
    #expect(budget.spend(work(100), at: start) == nil)
    var usage = work(50)
    usage.sent = 50 * 1_024
    #expect(budget.spend(usage, at: start) == nil)
    #expect(budget.spend(work(1), at: start)?.0 == .work)
  }

  /// HAProxy sends a WINDOW_UPDATE for the stream and one for the connection for each small answer.
  @Test func `each call lets the peer send some frames besides`() {
    var budget = PeerBudget(limits())
    var usage = work(20)
    usage.blocks = 10
    for _ in 0..<100 {
      #expect(budget.spend(usage, at: start) == nil)
    }
  }

  @Test func `bytes sent are no credit for later`() {
    var budget = PeerBudget(limits())
    var usage = PeerUsage()
    usage.sent = 1 << 30
    #expect(budget.spend(usage, at: start) == nil)
    #expect(budget.spend(work(101), at: start)?.0 == .work)
  }

  @Test func `resets have a bound of their own, which is told`() {
    var budget = PeerBudget(limits())
    var usage = PeerUsage()
    usage.resets = 5
    #expect(budget.spend(usage, at: start) == nil)
    let passed = budget.spend(usage, at: start)
    #expect(passed?.0 == .resets)
    #expect(passed?.1 == "streams reset: more than 5 at once and 1 a second")
  }

  @Test(arguments: [(64, true), (65, false)])
  func `a header block may have four times the list's bytes`(kibibytes: Int, passes: Bool) {
    var budget = PeerBudget(limits())
    var usage = PeerUsage()
    usage.headerBlock = .init(number: 1, bytes: kibibytes * 1_024)
    #expect((budget.spend(usage, at: start) == nil) == passes)
  }

  private func limits() -> ConnectionLimits {
    var limits = ConnectionLimits()
    (limits.workBurst, limits.workRate) = (100, 10)
    (limits.resetBurst, limits.resetRate) = (5, 1)
    return limits
  }

  private func work(_ count: Int) -> PeerUsage {
    var usage = PeerUsage()
    usage.work = count
    return usage
  }
}

struct StrayBlocksTests {
  @Test func `headers that open no stream are work, once, and pay for nothing`() {
    var strays = StrayBlocks()
    func count(_ blocks: Int, opened: Int) -> PeerUsage {
      var usage = PeerUsage()
      usage.blocks = blocks
      strays.count(in: &usage, opened: opened)
      return usage
    }
    #expect(count(3, opened: 3).work == 0)
    let mixed = count(10, opened: 5)
    #expect(mixed.work == 8)
    #expect(mixed.blocks == 2)
    // One that had begun opens its stream.
    let late = count(0, opened: 6)
    #expect(late.work == 0)
    #expect(late.blocks == 1)
    #expect(count(1, opened: 6).work == 0)
    #expect(count(1, opened: 6).work == 1)
  }
}
