/// How a plane that is gone is looked for: ever more slowly, and not for ever.
package struct Patience: Sendable {
  private static let firstWait = Duration.milliseconds(100)
  private static let longestWait = Duration.seconds(2)

  private let end: ContinuousClock.Instant
  private var wait = firstWait

  package init(for time: Duration) { end = .now + time }

  /// How long to wait before the next attempt; nil: there is to be none.
  package mutating func next() -> Duration? {
    guard ContinuousClock.now < end else { return nil }
    defer { wait = min(wait * 2, Self.longestWait) }
    return wait
  }
}
