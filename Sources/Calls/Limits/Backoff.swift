/// How long to wait before the next attempt to connect.
///
/// Full jitter: a plane that comes back is not met by all its daemons at once.
package struct Backoff: Sendable {
  package static let first = Duration.milliseconds(500)
  package static let longest = Duration.seconds(30)
  /// A link that was up this long starts the series anew.
  package static let settled = Duration.seconds(30)

  private let longest: Duration
  private var ceiling = Backoff.first

  /// `longest` bounds each wait.
  package init(longest: Duration = Backoff.longest) { self.longest = longest }

  /// The wait before the next attempt: from nothing to a ceiling that doubles each time.
  package mutating func next(random: inout some RandomNumberGenerator) -> Duration {
    defer { ceiling = min(ceiling * 2, Self.longest) }
    return min(ceiling, longest) / 1_000_000 * Int.random(in: 0...1_000_000, using: &random)
  }

  /// A link ended that was up for `duration`.
  package mutating func linkEnded(after duration: Duration) {
    if duration >= Self.settled { ceiling = Self.first }
  }
}
