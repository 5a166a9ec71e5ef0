/// How often something took how long: buckets whose bounds double, and the sum.
///
/// To observe costs a division and three additions; nothing is allocated.
package struct DurationHistogram: Sendable, Equatable {
  /// One more than there are bounds: the last is for what is above all of them.
  package private(set) var counts: [UInt64]
  package private(set) var nanoseconds: UInt64 = 0
  private let smallest: UInt64

  /// Bounds at `smallest`, twice that, and so on: `bounds` of them in all. `smallest` is at
  /// least a nanosecond.
  package init(smallest: Duration, bounds: Int) {
    self.smallest = max(1, Self.nanoseconds(smallest))
    counts = [UInt64](repeating: 0, count: bounds + 1)
  }

  /// A time below zero, from a clock that was set, counts as none.
  package mutating func observe(_ duration: Duration) {
    let time = Self.nanoseconds(duration)
    nanoseconds &+= time
    let steps = time <= smallest ? 0 : UInt64.bitWidth - ((time - 1) / smallest).leadingZeroBitCount
    counts[min(steps, counts.count - 1)] += 1
  }

  package var seconds: Double { Double(nanoseconds) / 1e9 }

  package var count: UInt64 { counts.reduce(0, +) }

  /// In seconds, one for each of `counts`; nil: no bound.
  package var bounds: [Double?] {
    (0..<counts.count - 1).map { Double(smallest << UInt64($0)) / 1e9 } + [nil]
  }

  private static func nanoseconds(_ duration: Duration) -> UInt64 {
    let (seconds, attoseconds) = duration.components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    return UInt64(seconds) &* 1_000_000_000 &+ UInt64(attoseconds) / 1_000_000_000
  }
}
