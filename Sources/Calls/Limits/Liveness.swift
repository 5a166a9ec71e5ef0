/// Heartbeats on `Connect`, at either end: when to send one, and when the other end is dead.
package struct Liveness: Sendable {
  package static let interval = Duration.seconds(15)
  /// So many intervals without a word, and the link is dead.
  package static let patience = 3

  private let interval: Duration
  private var lastHeard: ContinuousClock.Instant
  private var lastSent: ContinuousClock.Instant
  private var sequence: UInt64 = 0

  /// - Parameters:
  ///   - now: when the link came up; that counts as a word from both ends.
  ///   - interval: as the plane says in `Welcome`.
  package init(now: ContinuousClock.Instant, interval: Duration = interval) {
    self.interval = interval
    lastHeard = now
    lastSent = now
  }

  package enum OnTick: Sendable, Equatable {
    case nothing
    case send(sequence: UInt64)
    /// Nothing was heard for `patience` intervals: end the link.
    case dead
  }

  /// When a `tick` is wanted.
  package var wakeAt: ContinuousClock.Instant {
    min(lastSent + interval, lastHeard + interval * Self.patience)
  }

  /// Any message on `Connect` shows that the other end lives.
  package mutating func heard(at now: ContinuousClock.Instant) { lastHeard = now }

  package mutating func tick(at now: ContinuousClock.Instant) -> OnTick {
    guard now < lastHeard + interval * Self.patience else { return .dead }
    guard now >= lastSent + interval else { return .nothing }
    lastSent = now
    sequence += 1
    return .send(sequence: sequence)
  }
}
