internal import Sandbox

/// What a supervisor does when, without doing it.
///
/// ```
///            main ended,                        time up
///            others left      lingering ───────────────────────┐
///          ┌────────────────▶ (1 s)                            ▼
/// running ─┤                                              terminating ── 2 s ──▶ killing
///          └─ end ordered, or no daemon for 10 s ────────▶ (SIGTERM)            (SIGKILL, again
///                                                                                and again, 20 s)
/// any of them, no children left ──▶ ended ── released, or no daemon for 10 s ──▶ exit
/// ```
/// A command that ends by itself ends its call: what it leaves in the background gets a second to
/// finish what it writes, and is then killed. A server is a call of its own.
struct SupervisorState {
  typealias Instant = ContinuousClock.Instant

  enum Action: Equatable {
    /// Ask all descendants to end.
    case terminateTree
    case killTree
    /// Write the record, and report it if there is a daemon.
    case finish(ExitRecord)
    case exit
  }

  static let linger: Duration = .seconds(1)
  static let grace: Duration = .seconds(2)
  /// A process may be stuck in the kernel, or belong to another account. With the grace and the
  /// daemon's wait for a reader it stays below the 30 s after which the plane gives a call up.
  static let killLimit: Duration = .seconds(20)
  /// A process may start another while it is looked for.
  static let killInterval: Duration = .milliseconds(20)
  static let wait: Duration = .seconds(10)

  private enum Phase: Equatable {
    case running
    case lingering(until: Instant)
    case terminating(killAt: Instant)
    case killing(next: Instant, giveUpAt: Instant)
    case ended
  }

  private let startedAt: Instant
  private var phase = Phase.running
  private var status: ExitStatus?
  private var cause = ExitRecord.Cause.none
  /// When to stop waiting for a daemon; `nil` while there is one.
  private var daemonDeadline: Instant?

  init(startedAt: Instant) { self.startedAt = startedAt }

  /// When `advance` has something to do; `nil`: only after another event.
  var deadline: Instant? {
    let own: Instant? =
      switch phase {
      case .running, .ended: nil
      case .lingering(let until): until
      case .terminating(let killAt): killAt
      case .killing(let next, _): next
      }
    return [own, daemonDeadline].compactMap(\.self).min()
  }

  /// The command could not be started.
  mutating func failed(_ failure: SpawnFailure) -> [Action] {
    phase = .ended
    return [
      .finish(
        ExitRecord(ending: .notStarted(failure), cause: .none, treeGone: true, microseconds: 0)
      )
    ]
  }

  /// The command itself ended; what it started may live on.
  mutating func mainEnded(_ status: ExitStatus) { self.status = status }

  /// Children ended, and `isEmpty` says whether none is left.
  mutating func childrenEnded(isEmpty: Bool, now: Instant) -> [Action] {
    guard phase != .ended else { return [] }
    if isEmpty { return finish(treeGone: true, now: now) }
    if phase == .running, status != nil { phase = .lingering(until: now + Self.linger) }
    return []
  }

  /// Somebody wants the tree gone.
  mutating func end(_ cause: ExitRecord.Cause, now: Instant) -> [Action] {
    switch phase {
    case .running:
      self.cause = cause
      return terminate(now: now)
    case .lingering: return terminate(now: now)
    case .terminating, .killing, .ended: return []
    }
  }

  /// The daemon knows the end and has the output.
  mutating func released() -> [Action] { phase == .ended ? [.exit] : [] }

  mutating func daemonLeft(now: Instant) { daemonDeadline = now + Self.wait }

  mutating func daemonCame() { daemonDeadline = nil }

  mutating func advance(now: Instant) -> [Action] {
    var actions: [Action] = []
    if let daemonDeadline, daemonDeadline <= now {
      guard phase != .ended else { return [.exit] }
      self.daemonDeadline = nil
      isAbandoned = true
      actions += end(.abandoned, now: now)
    }
    switch phase {
    case .running, .ended: break
    case .lingering(let until): if until <= now { actions += terminate(now: now) }
    case .terminating(let killAt):
      if killAt <= now {
        phase = .killing(next: now + Self.killInterval, giveUpAt: now + Self.killLimit)
        actions.append(.killTree)
      }
    case .killing(let next, let giveUpAt):
      if giveUpAt <= now {
        actions += finish(treeGone: false, now: now)
      } else if next <= now {
        phase = .killing(next: now + Self.killInterval, giveUpAt: giveUpAt)
        actions.append(.killTree)
      }
    }
    return actions
  }

  /// No daemon came in time: the end is recorded and nobody is waited for again.
  private var isAbandoned = false

  private mutating func terminate(now: Instant) -> [Action] {
    phase = .terminating(killAt: now + Self.grace)
    return [.terminateTree]
  }

  private mutating func finish(treeGone: Bool, now: Instant) -> [Action] {
    phase = .ended
    let ending = status.map(ExitRecord.Ending.ended) ?? .unknown
    let microseconds = UInt64(max(0, (now - startedAt) / .microseconds(1)))
    let record = ExitRecord(
      ending: ending,
      cause: cause,
      treeGone: treeGone,
      microseconds: microseconds
    )
    return isAbandoned ? [.finish(record), .exit] : [.finish(record)]
  }
}
