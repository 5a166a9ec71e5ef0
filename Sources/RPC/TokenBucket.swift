/// So many at once, and then so many in each second.
struct TokenBucket {
  let burst: Int
  let rate: Int
  private var tokens: Double
  private var filled: ContinuousClock.Instant?

  init(burst: UInt64, rate: UInt64) {
    self.burst = Int(clamping: burst)
    self.rate = Int(clamping: rate)
    tokens = Double(self.burst)
  }

  /// - Returns: whether there were as many. None is left if not.
  mutating func take(_ count: Int, at now: ContinuousClock.Instant) -> Bool {
    let elapsed = filled.map { $0.duration(to: now) / .seconds(1) } ?? 0
    filled = now
    add(max(0, elapsed) * Double(rate))
    tokens -= Double(count)
    return tokens >= 0
  }

  /// Gives some more, up to the burst.
  mutating func add(_ count: Double) { tokens = min(Double(burst), tokens + count) }
}
