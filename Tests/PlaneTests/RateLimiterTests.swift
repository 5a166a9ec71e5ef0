internal import Testing

@testable internal import Plane

@Suite struct `The rate limiter` {
  private let start = ContinuousClock.now

  private func limiter(names: Int = 10) -> RateLimiter {
    RateLimiter(
      each: .init(burst: 2, interval: .seconds(1)),
      all: .init(burst: 5, interval: .seconds(1)),
      maxNames: names,
      at: start
    )
  }

  /// What the limiter says to attempts by `names`, `seconds` after the start.
  private func answers(
    _ limiter: inout RateLimiter,
    _ names: String...,
    after seconds: Double = 0
  ) -> [Bool] {
    names.map { limiter.allows($0, at: start + .seconds(seconds)) }
  }

  @Test func `a name has its burst, then one more each interval`() {
    var limiter = limiter()
    #expect(answers(&limiter, "a", "a", "a") == [true, true, false])
    #expect(answers(&limiter, "a", after: 0.9) == [false])
    #expect(answers(&limiter, "a", "a", after: 1) == [true, false])
  }

  @Test func `names do not share theirs, but all of them have a limit`() {
    var limiter = limiter()
    #expect(
      answers(&limiter, "a", "a", "b", "b", "c", "d") == [true, true, true, true, true, false]
    )
    #expect(answers(&limiter, "d", after: 1) == [true])
  }

  @Test func `the names kept are bounded, and full ones make room`() {
    var limiter = limiter(names: 1)
    #expect(answers(&limiter, "a", "b") == [true, false])
    #expect(answers(&limiter, "b", after: 1) == [true])
  }
}
