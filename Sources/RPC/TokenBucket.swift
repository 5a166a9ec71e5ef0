/// So many at once, and then so many in each second.
package struct TokenBucket: Sendable {
  let burst: Int
  let rate: Int
  private var tokens: Double
  private var filled: ContinuousClock.Instant?

  package init(burst: UInt64, rate: UInt64) {
    self.burst = Int(clamping: burst)
    self.rate = Int(clamping: rate)
    tokens = Double(self.burst)
  }

  /// - Returns: whether there were as many. What is missing is owed if not.
  mutating func take(_ count: Int, at now: ContinuousClock.Instant) -> Bool {
    fill(at: now)
    tokens -= Double(count)
    return tokens >= 0
  }

  /// Takes one if it is there.
  package mutating func takeOne(at now: ContinuousClock.Instant) -> Bool {
    fill(at: now)
    guard tokens >= 1 else { return false }
    tokens -= 1
    return true
  }

  /// Gives some more, up to the burst.
  mutating func add(_ count: Double) { tokens = min(Double(burst), tokens + count) }

  private mutating func fill(at now: ContinuousClock.Instant) {
    let elapsed = filled.map { $0.duration(to: now) / .seconds(1) } ?? 0
    filled = now
    add(max(0, elapsed) * Double(rate))
  }
}
