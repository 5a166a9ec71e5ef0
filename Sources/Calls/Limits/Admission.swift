/// Decides which call is offered when.
///
/// HTTP/2's own limit is no help: stock clients queue silently behind it. So offers that no daemon
/// has claimed yet are bounded, for each daemon and in all; beyond that calls wait in the daemon's
/// queue, where the principals take turns; beyond that they are turned down with a delay. A queue that
/// some have filled still takes calls of those who have less than their share of it, up to twice its
/// bound. Of the unclaimed ones in all a principal has its part at most: whoever has daemons that claim
/// nothing holds up nobody else.
package struct Admission: ~Copyable {
  package struct Limits: Sendable {
    package var unclaimedPerDaemon = 32
    package var unclaimed = 8192
    package var unclaimedPerPrincipal = 1024
    package var queuedPerDaemon = 2048
    package var callsPerDaemon = 1024

    package init() {}
  }

  private let limits: Limits
  private var daemons: [String: Daemon] = [:]
  private var unclaimed = 0
  private var unclaimedBy: [String: Int] = [:]
  /// Those with calls to offer whose principals all have their part of the unclaimed ones.
  private var held: [Daemon] = []
  /// Those with calls to offer, in turn. One that cannot take any now is not among them.
  private var turns = Fifo<Daemon>()

  package init(limits: Limits = Limits()) { self.limits = limits }

  package enum OnSubmit {
    /// Keep the place: it names the call in what follows.
    case queued(Place)
    /// Try again after this time.
    case full(retryAfter: Duration)
  }

  /// Puts a new call into its daemon's queue; `next` takes it out.
  package mutating func submit(
    _ call: AnyObject,
    by principal: String,
    to workspace: String
  ) -> OnSubmit {
    let daemon = daemon(of: workspace)
    guard hasRoom(at: daemon, for: principal) else {
      // About as long as it takes to start what waits, at a millisecond each.
      return .full(retryAfter: .milliseconds(100 + daemon.queue.count))
    }
    let place = Place(call, of: principal, daemon, .queued)
    daemon.queue.append(place, of: principal)
    giveTurn(daemon)
    return .queued(place)
  }

  /// A call that an earlier plane has offered: it counts as one that its daemon has.
  package mutating func adopt(in workspace: String) -> Place {
    let daemon = daemon(of: workspace)
    daemon.calls += 1
    return Place(nil, of: "", daemon, .live)
  }

  /// The next call to offer now; nil when none may be. Ask again after every other method.
  package mutating func next() -> AnyObject? {
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
  package mutating func claimed(_ place: Place) {
    guard case .offered = place.stage else { return }
    place.stage = .live
    place.daemon.unclaimed -= 1
    unclaimed -= 1
    let own = unclaimedBy[place.principal, default: 0]
    unclaimedBy[place.principal] = own > 1 ? own - 1 : nil
    if own >= limits.unclaimedPerPrincipal { releaseHeld() }
    giveTurn(place.daemon)
  }

  private mutating func releaseHeld() {
    let daemons = held
    held = []
    for daemon in daemons {
      daemon.isHeld = false
      giveTurn(daemon)
    }
  }

  /// The call has ended, wherever it was.
  package mutating func ended(_ place: Place) {
    claimed(place)
    switch place.stage {
    case .queued: place.daemon.queue.remove(place, of: place.principal)
    case .offered, .live: place.daemon.calls -= 1
    case .over: return
    }
    place.stage = .over
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

  private mutating func offerNext(at daemon: Daemon) -> AnyObject? {
    guard canOffer(daemon) else { return nil }
    let limit = limits.unclaimedPerPrincipal
    guard let place = daemon.queue.popNext(ofThoseWithLessThan: limit, in: unclaimedBy) else {
      if !daemon.isHeld { held.append(daemon) }
      daemon.isHeld = true
      return nil
    }
    place.stage = .offered
    unclaimedBy[place.principal, default: 0] += 1
    daemon.unclaimed += 1
    daemon.calls += 1
    unclaimed += 1
    return place.leaveQueue()
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

  fileprivate final class Daemon {
    let workspace: String
    /// 0 while it takes no offers.
    var maxCalls = 0
    /// Offered and not ended.
    var calls = 0
    var unclaimed = 0
    var hasTurn = false
    /// It is among those that wait for a principal's part.
    var isHeld = false
    var queue = FairQueue()

    init(of workspace: String) { self.workspace = workspace }
  }

  /// Where a call stands. It knows its daemon and the call it, so that no table is looked into.
  package final class Place {
    fileprivate let daemon: Daemon
    fileprivate let principal: String
    fileprivate var stage: Stage
    /// While it waits; the call has its place, so that not for longer.
    private var call: AnyObject?

    fileprivate init(
      _ call: AnyObject?,
      of principal: String,
      _ daemon: Daemon,
      _ stage: Stage
    ) {
      self.call = call
      self.principal = principal
      self.daemon = daemon
      self.stage = stage
    }

    var waits: Bool { call != nil }

    /// Its turn has come, or will not.
    func leaveQueue() -> AnyObject? {
      defer { call = nil }
      return call
    }

    fileprivate enum Stage {
      case queued, offered, live, over
    }
  }
}
