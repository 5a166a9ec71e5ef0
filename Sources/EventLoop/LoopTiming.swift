package import Metrics

/// How a loop keeps up: how long its turns take, and how late its timers are.
///
/// Costs one reading of the clock a turn, which is no system call, and none for each event. What
/// becomes ready during a turn waits for its end, so long turns are what delays everybody.
package struct LoopTiming: Sendable {
  /// From the return of epoll_wait to the next call of it.
  package private(set) var turns = DurationHistogram(smallest: .microseconds(16), bounds: 20)
  /// How long after its deadline the turn began that runs the first due timer. Waits are whole
  /// milliseconds, so up to one is usual.
  package private(set) var lateness = DurationHistogram(smallest: .microseconds(128), bounds: 17)
  private var awake: ContinuousClock.Instant?

  init() {}

  mutating func woke(at now: ContinuousClock.Instant, due: ContinuousClock.Instant?) {
    awake = now
    if let due, due <= now { lateness.observe(now - due) }
  }

  mutating func turnEnded(at now: ContinuousClock.Instant) {
    if let awake { turns.observe(now - awake) }
    awake = nil
  }
}
