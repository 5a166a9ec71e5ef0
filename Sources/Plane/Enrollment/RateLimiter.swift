/// A token bucket for each of many names, and one for all of them.
///
/// The number of names kept is bounded: a full bucket is as good as none and is forgotten; when
/// none is full, a new name is refused.
struct RateLimiter: Sendable {
  /// At most `burst` at once, then one more each `interval`.
  struct Rate: Sendable {
    let burst: Double
    let interval: Duration
  }

  private struct Bucket {
    var level: Double
    var at: ContinuousClock.Instant

    mutating func fill(_ rate: Rate, until now: ContinuousClock.Instant) {
      level = min(rate.burst, level + (now - at) / rate.interval)
      at = now
    }
  }

  private let each: Rate
  private let all: Rate
  private let maxNames: Int
  private var buckets: [String: Bucket] = [:]
  private var total: Bucket

  init(each: Rate, all: Rate, maxNames: Int = 4096, at now: ContinuousClock.Instant) {
    self.each = each
    self.all = all
    self.maxNames = maxNames
    total = Bucket(level: all.burst, at: now)
  }

  /// Whether `name` may go on now; it is counted then.
  mutating func allows(_ name: String, at now: ContinuousClock.Instant) -> Bool {
    total.fill(all, until: now)
    guard total.level >= 1 else { return false }
    if buckets[name] == nil, buckets.count >= maxNames { forgetFull(at: now) }
    guard buckets[name] != nil || buckets.count < maxNames else { return false }
    var bucket = buckets[name] ?? Bucket(level: each.burst, at: now)
    bucket.fill(each, until: now)
    defer { buckets[name] = bucket }
    guard bucket.level >= 1 else { return false }
    bucket.level -= 1
    total.level -= 1
    return true
  }

  private mutating func forgetFull(at now: ContinuousClock.Instant) {
    buckets = buckets.filter { _, bucket in
      var bucket = bucket
      bucket.fill(each, until: now)
      return bucket.level < each.burst
    }
  }
}
