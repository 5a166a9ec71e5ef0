/// Decides which call is offered when.
///
/// HTTP/2's own limit is no help: stock clients queue silently behind it. So offers that no daemon
/// has claimed yet are bounded, for each daemon and in all; beyond that calls wait in the daemon's
/// queue, where the principals take turns; beyond that they are turned down with a delay. A queue that
/// some have filled still takes calls of those who have less than their share of it, up to twice its
/// bound.
package struct Admission: ~Copyable {
  package struct Limits: Sendable {
    package var unclaimedPerDaemon = 32
    package var unclaimed = 8192
    package var queuedPerDaemon = 2048
    package var callsPerDaemon = 1024

    package init() {}
  }

  private let limits: Limits
  private var daemons: [String: Daemon] = [:]
  private var places: [String: Place] = [:]
  private var unclaimed = 0
  /// Those with calls to offer, in turn. One that cannot take any now is not among them.
  private var turns = Fifo<Daemon>()

  package init(limits: Limits = Limits()) { self.limits = limits }

  package enum OnSubmit: Sendable, Equatable {
    case queued
    /// Try again after this time.
    case full(retryAfter: Duration)
  }

  /// Puts a new call into its daemon's queue; `next` takes it out.
  package mutating func submit(
    _ call: String,
    by principal: String,
    to workspace: String
  ) -> OnSubmit {
    let daemon = daemon(of: workspace)
    guard hasRoom(at: daemon, for: principal) else {
      // About as long as it takes to start what waits, at a millisecond each.
      return .full(retryAfter: .milliseconds(100 + daemon.queue.count))
    }
    daemon.queue.append(call, of: principal)
    places[call] = Place(daemon, .queued(principal: principal))
    giveTurn(daemon)
    return .queued
  }

  /// A call that an earlier plane has offered: it counts as one that its daemon has.
  package mutating func adopt(_ call: String, in workspace: String) {
    let daemon = daemon(of: workspace)
    daemon.calls += 1
    places[call] = Place(daemon, .live)
  }

  /// The next call to offer now; nil when none may be. Ask again after every other method.
  package mutating func next() -> String? {
    while unclaimed < limits.unclaimed, let daemon = turns.popFirst() {
      daemon.hasTurn = false
      guard let call = offerNext(at: daemon) else {
        dropIfIdle(daemon)
        continue
      }
      giveTurn(daemon)
      return call
    }
    return nil
  }

  /// The call's offer was claimed, or its daemon has it for certain, or its link is lost.
  package mutating func claimed(_ call: String) {
    if let place = places[call] { claimed(place) }
  }

  private mutating func claimed(_ place: Place) {
    guard case .offered = place.stage else { return }
    place.stage = .live
    place.daemon.unclaimed -= 1
    unclaimed -= 1
    giveTurn(place.daemon)
  }

  /// The call has ended, wherever it was.
  package mutating func ended(_ call: String) {
    guard let place = places.removeValue(forKey: call) else { return }
    claimed(place)
    if case .queued(let principal) = place.stage {
      place.daemon.queue.remove(call, of: principal)
    } else {
      place.daemon.calls -= 1
    }
    giveTurn(place.daemon)
    dropIfIdle(place.daemon)
  }

  /// The daemon takes offers from now on, up to its own bound from `Hello`.
  package mutating func open(_ workspace: String, maxCalls: Int) {
    let daemon = daemon(of: workspace)
    daemon.maxCalls = min(maxCalls, limits.callsPerDaemon)
    giveTurn(daemon)
  }

  /// The daemon takes no offers: it is not linked, or drains. Its queue waits.
  package mutating func close(_ workspace: String) {
    guard let daemon = daemons[workspace] else { return }
    daemon.maxCalls = 0
    dropIfIdle(daemon)
  }

  /// How many calls wait for this daemon.
  package func waiting(for workspace: String) -> Int { daemons[workspace]?.queue.count ?? 0 }

  private mutating func daemon(of workspace: String) -> Daemon {
    if let daemon = daemons[workspace] { return daemon }
    let daemon = Daemon(of: workspace)
    daemons[workspace] = daemon
    return daemon
  }

  private func hasRoom(at daemon: Daemon, for principal: String) -> Bool {
    guard daemon.queue.count >= limits.queuedPerDaemon else { return true }
    guard daemon.queue.count < 2 * limits.queuedPerDaemon else { return false }
    let own = daemon.queue.waiting(of: principal)
    let principals = daemon.queue.principals + (own == 0 ? 1 : 0)
    return own < limits.queuedPerDaemon / principals
  }

  private mutating func offerNext(at daemon: Daemon) -> String? {
    guard canOffer(daemon), let call = daemon.queue.popNext() else { return nil }
    places[call]?.stage = .offered
    daemon.unclaimed += 1
    daemon.calls += 1
    unclaimed += 1
    return call
  }

  private func canOffer(_ daemon: Daemon) -> Bool {
    daemon.queue.count > 0 && daemon.calls < daemon.maxCalls
      && daemon.unclaimed < limits.unclaimedPerDaemon
  }

  private mutating func giveTurn(_ daemon: Daemon) {
    guard !daemon.hasTurn, canOffer(daemon) else { return }
    daemon.hasTurn = true
    turns.append(daemon)
  }

  private mutating func dropIfIdle(_ daemon: Daemon) {
    guard daemon.maxCalls == 0, daemon.calls == 0, daemon.queue.count == 0, !daemon.hasTurn
    else { return }
    daemons[daemon.workspace] = nil
  }

  private final class Daemon {
    let workspace: String
    /// 0 while it takes no offers.
    var maxCalls = 0
    /// Offered and not ended.
    var calls = 0
    var unclaimed = 0
    var hasTurn = false
    var queue = FairQueue()

    init(of workspace: String) { self.workspace = workspace }
  }

  /// Where a call stands. It knows its daemon: tables are looked into once for each thing that happens.
  private final class Place {
    let daemon: Daemon
    var stage: Stage

    init(_ daemon: Daemon, _ stage: Stage) {
      self.daemon = daemon
      self.stage = stage
    }

    enum Stage {
      case queued(principal: String)
      case offered, live
    }
  }
}
