/// Decides which call is offered when.
///
/// HTTP/2's own limit is no help: stock clients queue silently behind it. So offers that no daemon
/// has claimed yet are bounded, for each daemon and in all; beyond that calls wait in the daemon's
/// queue, where the principals take turns; beyond that they are turned down with a delay. A queue that
/// some have filled still takes calls of those who have less than their share of it, up to twice its
/// bound.
package struct Admission: Sendable {
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
  /// Workspaces with calls to offer, in turn. One that cannot take any now is not in it.
  private var turns = Fifo<String>()

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
    let waiting = daemons[workspace]?.queue.count ?? 0
    guard hasRoom(in: workspace, for: principal) else {
      // About as long as it takes to start what waits, at a millisecond each.
      return .full(retryAfter: .milliseconds(100 + waiting))
    }
    daemons[workspace, default: Daemon()].queue.append(call, of: principal)
    places[call] = Place(workspace: workspace, stage: .queued(principal: principal))
    giveTurn(workspace)
    return .queued
  }

  /// A call that an earlier plane has offered: it counts as one that its daemon has.
  package mutating func adopt(_ call: String, in workspace: String) {
    daemons[workspace, default: Daemon()].calls += 1
    places[call] = Place(workspace: workspace, stage: .live)
  }

  /// The next call to offer now; nil when none may be. Ask again after every other method.
  package mutating func next() -> String? {
    while unclaimed < limits.unclaimed, let workspace = turns.popFirst() {
      daemons[workspace]?.hasTurn = false
      guard let call = offerNext(in: workspace) else { continue }
      giveTurn(workspace)
      return call
    }
    return nil
  }

  /// The call's offer was claimed, or its daemon has it for certain, or its link is lost.
  package mutating func claimed(_ call: String) {
    guard let place = places[call], case .offered = place.stage else { return }
    places[call]?.stage = .live
    daemons[place.workspace]?.unclaimed -= 1
    unclaimed -= 1
    giveTurn(place.workspace)
  }

  /// The call has ended, wherever it was.
  package mutating func ended(_ call: String) {
    claimed(call)
    guard let place = places.removeValue(forKey: call) else { return }
    if case .queued(let principal) = place.stage {
      daemons[place.workspace]?.queue.remove(call, of: principal)
    } else {
      daemons[place.workspace]?.calls -= 1
    }
    giveTurn(place.workspace)
    dropIfIdle(place.workspace)
  }

  /// The daemon takes offers from now on, up to its own bound from `Hello`.
  package mutating func open(_ workspace: String, maxCalls: Int) {
    daemons[workspace, default: Daemon()].maxCalls = min(maxCalls, limits.callsPerDaemon)
    giveTurn(workspace)
  }

  /// The daemon takes no offers: it is not linked, or drains. Its queue waits.
  package mutating func close(_ workspace: String) {
    daemons[workspace]?.maxCalls = 0
    dropIfIdle(workspace)
  }

  /// How many calls wait for this daemon.
  package func waiting(for workspace: String) -> Int { daemons[workspace]?.queue.count ?? 0 }

  private func hasRoom(in workspace: String, for principal: String) -> Bool {
    guard let queue = daemons[workspace]?.queue, queue.count >= limits.queuedPerDaemon else {
      return true
    }
    guard queue.count < 2 * limits.queuedPerDaemon else { return false }
    let own = queue.waiting(of: principal)
    let principals = queue.principals + (own == 0 ? 1 : 0)
    return own < limits.queuedPerDaemon / principals
  }

  private mutating func offerNext(in workspace: String) -> String? {
    guard canOffer(workspace), let call = daemons[workspace]?.queue.popNext() else { return nil }
    places[call]?.stage = .offered
    daemons[workspace]?.unclaimed += 1
    daemons[workspace]?.calls += 1
    unclaimed += 1
    return call
  }

  private func canOffer(_ workspace: String) -> Bool {
    guard let daemon = daemons[workspace] else { return false }
    return daemon.queue.count > 0 && daemon.calls < daemon.maxCalls
      && daemon.unclaimed < limits.unclaimedPerDaemon
  }

  private mutating func giveTurn(_ workspace: String) {
    guard canOffer(workspace), daemons[workspace]?.hasTurn == false else { return }
    daemons[workspace]?.hasTurn = true
    turns.append(workspace)
  }

  private mutating func dropIfIdle(_ workspace: String) {
    guard let daemon = daemons[workspace], daemon.maxCalls == 0, daemon.calls == 0,
      daemon.queue.count == 0, !daemon.hasTurn
    else { return }
    daemons[workspace] = nil
  }

  private struct Daemon {
    /// 0 while it takes no offers.
    var maxCalls = 0
    /// Offered and not ended.
    var calls = 0
    var unclaimed = 0
    var hasTurn = false
    var queue = FairQueue()
  }

  private struct Place {
    let workspace: String
    var stage: Stage

    enum Stage {
      case queued(principal: String)
      case offered, live
    }
  }
}
