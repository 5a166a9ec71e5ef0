/// One call as the broker sees it: events in, actions out. Holds no bytes; those are in its logs.
///
///     state     event                            next       actions
///     queued    admitted                         offered    offer
///               cancel, owner gone               ended      end cancelled
///               deadline                         ended      end refused
///     offered   claim: right ticket, in time     running    attach
///               claim: any other                 offered    turn away; the ticket stays good
///               ticket too old                   offered    offer again with a new ticket
///               refused                          ended      end refused
///               unclaimed                        detached   resume
///               link lost                        detached   –
///     running   exit                             ended      acknowledge exit, end as reported
///               carry closed                     detached   resume, if there is a link
///               carry broke the protocol         ended      forget, end lost
///               unclaimed on a later link        detached   close carry, resume
///               link lost                        running    – (the carry may live elsewhere)
///     detached  no link for long                 ended      end lost
///     detached  claim: right ticket, in time     running    attach
///               ticket too old                   detached   resume with a new ticket
///               unclaimed                        detached   the same resume again
///     any but   link up, call known              as before  resume, unless its carry lives
///     queued    link up, same instance, unknown  offered    offer again, if it was never known
///                                                ended      end lost, if it was
///               link up, new instance, unknown   ended      end lost
///               cancel, owner gone, deadline     as before  cancel; again on each new link
///               no exit long after that          ended      forget, end lost
///               workspace stopped                ended      close carry, forget, end lost
///     queued    workspace stopped                ended      end cancelled
///     ended     link up with it, unclaimed       ended      forget
///               claim                            ended      turn away
///
/// A ticket's end is not the call's end. An offer may be repeated, because a daemon starts a call id
/// once whatever happens; that a call did not start is only known from its daemon. Session epochs
/// fence what comes from links, attachment numbers what comes from `Carry` streams.
package struct BrokerCall: Sendable {
  package enum State: Sendable, Equatable {
    case queued, offered, running, detached
    case ended(Outcome)
  }

  package private(set) var state = State.queued
  /// Counts the `Carry` streams of this call; the latest is the only one that is listened to.
  package private(set) var attachment = 0
  /// Whether the daemon was told to end it, or will be as soon as it is linked.
  package private(set) var isCancelled = false

  private let timing: Timing
  private let deadline: ContinuousClock.Instant
  private var link: Link?
  /// The daemon's run that was offered the call.
  private var instance: InstanceID?
  /// The daemon has shown that it has the call.
  private var wasKnown = false
  private var attachmentEpoch: SessionEpoch?
  private var grant: Grant?
  private var giveUpAt: ContinuousClock.Instant?
  /// Since when it is detached and has no link to resume it on.
  private var strandedAt: ContinuousClock.Instant?

  /// A call that waits for its turn. The daemon ends it at the deadline; here the deadline bounds the
  /// time in the queue, and some time after it the plane steps in.
  package init(deadline: ContinuousClock.Instant, timing: Timing = Timing()) {
    self.deadline = deadline
    self.timing = timing
  }

  package var isEnded: Bool {
    if case .ended = state { true } else { false }
  }

  /// When a `tick` is wanted at the latest.
  package var wakeAt: ContinuousClock.Instant? {
    guard !isEnded else { return nil }
    return [grant?.expires, giveUpAt ?? overdueAt, strandedUntil].compactMap { $0 }.min()
  }

  /// Takes note of what happened and says what to do about it, in this order.
  package mutating func handle(_ event: Event) -> [Action] {
    switch event {
    case .admitted(let link, let ticket): admitted(on: link, ticket)
    case .ticketSent(let now): ticketSent(now)
    case .claim(let claim, let now): claimed(claim, now)
    case .refused(let epoch): refused(epoch)
    case .unclaimed(let epoch, let ticket): unclaimed(epoch, ticket)
    case .carryClosed(let number, let ticket, let now): carryClosed(number, ticket, now)
    case .carryBroken(let number): carryBroken(number)
    case .exit(let number, let outcome): exited(number, outcome)
    case .cancel(let now): cancel(now, .cancelled)
    case .linkLost(let epoch, let now): linkLost(epoch, now)
    case .linkUp(let link, let isKnown, let ticket): linkUp(link, isKnown: isKnown, ticket)
    case .workspaceStopped: workspaceStopped()
    case .tick(let now, let ticket): tick(now, ticket)
    }
  }
}

extension BrokerCall {
  /// A daemon's session: which one, and with which run of its program.
  package struct Link: Sendable, Equatable {
    package let epoch: SessionEpoch
    package let instance: InstanceID

    package init(epoch: SessionEpoch, instance: InstanceID) {
      self.epoch = epoch
      self.instance = instance
    }
  }

  /// What a daemon shows to carry the call. Its certificate was matched with the call's workspace.
  package struct Claim: Sendable {
    package let ticket: Ticket
    package let epoch: SessionEpoch

    package init(ticket: Ticket, epoch: SessionEpoch) {
      self.ticket = ticket
      self.epoch = epoch
    }
  }

  package struct Timing: Sendable {
    /// To claim a ticket, from when it left the socket buffer.
    package var claim = Duration.seconds(10)
    /// After the deadline, before the plane cancels: the daemon ends the call at the deadline itself.
    package var overdue = Duration.seconds(5)
    /// For the exit after a cancel, before nobody can say any more what happened.
    package var exit = Duration.seconds(30)
    /// For a detached call whose workspace has no link: a daemon that restarts is back in seconds,
    /// and one that is not back by then has no news of the call that are worth the wait.
    package var stranded = Duration.seconds(120)

    package init() {}
  }

  /// Tickets in events are fresh ones, for the action that may follow.
  package enum Event: Sendable {
    /// Its turn has come.
    case admitted(Link, Ticket)
    /// The last offer or resume left the socket buffer.
    case ticketSent(ContinuousClock.Instant)
    case claim(Claim, ContinuousClock.Instant)
    /// The daemon: nothing was started, nor will be.
    case refused(SessionEpoch)
    /// The daemon: it has the call, and no stream for it.
    case unclaimed(SessionEpoch, Ticket)
    /// A `Carry` stream ended without an exit.
    case carryClosed(attachment: Int, Ticket, ContinuousClock.Instant)
    /// What came on it cannot be. It would come again, so the call is not resumed.
    case carryBroken(attachment: Int)
    case exit(attachment: Int, Outcome)
    /// Someone may and does cancel it, or its owner went away and it does not go on alone.
    case cancel(ContinuousClock.Instant)
    case linkLost(SessionEpoch, ContinuousClock.Instant)
    /// A link's inventory is whole, with this call in it or not.
    case linkUp(Link, isKnown: Bool, Ticket)
    /// Its workspace's owner stopped the workspace, and the call did not end in time.
    case workspaceStopped
    case tick(ContinuousClock.Instant, Ticket)
  }

  package enum Action: Sendable, Equatable {
    case offer(Ticket)
    case resume(Ticket)
    case cancel
    case forget
    /// The claim stands: the stream is the call's attachment, with this number.
    case attach(Int)
    /// Answer the claim with NOT_FOUND, and record it.
    case turnAway
    /// The stream with this number is not the call's any more.
    case closeCarry(Int)
    /// End the attachment with status OK.
    case acknowledgeExit
    case end(Outcome, Reason)
  }

  /// Why a call ended.
  package enum Reason: Sendable, Equatable {
    /// As the daemon's `Exit` says.
    case reported
    case refusedByDaemon
    /// It was never offered, or the daemon never got the offer.
    case cancelledBeforeStart
    case deadlineInQueue
    /// The daemon started anew and does not know it.
    case newInstance
    /// The daemon had it and does not know it any more.
    case unknownToDaemon
    /// What the daemon sent cannot be.
    case protocolBroken
    /// No exit came, long after the deadline or a cancel.
    case noExit
    /// It was cut off, and its daemon did not come back.
    case noLink
    case workspaceStopped
  }

  private struct Grant {
    let ticket: Ticket
    let epoch: SessionEpoch
    let isOffer: Bool
    var expires: ContinuousClock.Instant?
  }
}

// Offers and claims.
extension BrokerCall {
  private mutating func admitted(on link: Link, _ ticket: Ticket) -> [Action] {
    guard state == .queued else { return [] }
    self.link = link
    return offer(ticket)
  }

  private mutating func offer(_ ticket: Ticket) -> [Action] {
    guard let link else { return [] }
    state = .offered
    instance = link.instance
    grant = Grant(ticket: ticket, epoch: link.epoch, isOffer: true)
    return [.offer(ticket)] + cancelAgain
  }

  private mutating func resume(_ ticket: Ticket) -> [Action] {
    guard let link else { return [] }
    state = .detached
    instance = link.instance
    grant = Grant(ticket: ticket, epoch: link.epoch, isOffer: false)
    return [.resume(ticket)] + cancelAgain
  }

  /// On `Connect` behind the offer or resume, so the daemon knows what is meant.
  private var cancelAgain: [Action] { isCancelled ? [.cancel] : [] }

  private mutating func ticketSent(_ now: ContinuousClock.Instant) -> [Action] {
    let expires = now + timing.claim
    grant?.expires = expires
    return []
  }

  private mutating func claimed(_ claim: Claim, _ now: ContinuousClock.Instant) -> [Action] {
    guard let grant, claim.epoch == grant.epoch, claim.ticket == grant.ticket,
      grant.expires.map({ now < $0 }) ?? true
    else { return [.turnAway] }
    self.grant = nil
    strandedAt = nil
    state = .running
    wasKnown = true
    attachment += 1
    attachmentEpoch = claim.epoch
    return [.attach(attachment)]
  }

  private mutating func refused(_ epoch: SessionEpoch) -> [Action] {
    guard link?.epoch == epoch, state == .offered || state == .detached, !wasKnown else {
      return []
    }
    return end(.refused, .refusedByDaemon)
  }

  private mutating func unclaimed(_ epoch: SessionEpoch, _ ticket: Ticket) -> [Action] {
    guard !isEnded else { return [.forget] }
    guard link?.epoch == epoch, state != .queued else { return [] }
    wasKnown = true
    if state == .running {
      // On the attachment's own link this is old news of the one before it: the end of this one
      // would be seen here. Cutting it would make the daemon say so again, without end.
      guard let attachmentEpoch, attachmentEpoch < epoch else { return [] }
      return [.closeCarry(attachment)] + resume(ticket)
    }
    // A ticket that is still good is not replaced: the daemon may be about to use it.
    guard let grant, grant.epoch == epoch, !grant.isOffer else { return resume(ticket) }
    return [.resume(grant.ticket)]
  }
}

// Attachments and links.
extension BrokerCall {
  private mutating func carryClosed(
    _ number: Int,
    _ ticket: Ticket,
    _ now: ContinuousClock.Instant
  ) -> [Action] {
    guard state == .running, number == attachment else { return [] }
    state = .detached
    if link == nil { strandedAt = now }
    return resume(ticket)
  }

  private mutating func carryBroken(_ number: Int) -> [Action] {
    guard state == .running, number == attachment else { return [] }
    return forget + end(.lost, .protocolBroken)
  }

  private mutating func exited(_ number: Int, _ outcome: Outcome) -> [Action] {
    guard state == .running, number == attachment else { return [] }
    return [.acknowledgeExit] + end(outcome, .reported)
  }

  private mutating func linkLost(
    _ epoch: SessionEpoch,
    _ now: ContinuousClock.Instant
  ) -> [Action] {
    guard link?.epoch == epoch else { return [] }
    link = nil
    grant = nil
    if state == .offered { state = .detached }
    if state == .detached { strandedAt = now }
    return []
  }

  private mutating func linkUp(_ link: Link, isKnown: Bool, _ ticket: Ticket) -> [Action] {
    guard !isEnded else { return isKnown ? [.forget] : [] }
    guard state != .queued, self.link.map({ $0.epoch < link.epoch }) ?? true else { return [] }
    let isSameInstance = link.instance == instance
    self.link = link
    grant = nil
    strandedAt = nil
    if isKnown { return known(isSameInstance: isSameInstance, ticket) }
    guard isSameInstance else { return closeCarry + end(.lost, .newInstance) }
    guard !wasKnown else { return closeCarry + end(.lost, .unknownToDaemon) }
    return isCancelled ? end(.cancelled, .cancelledBeforeStart) : offer(ticket)
  }

  /// The daemon has the call on its new link.
  private mutating func known(isSameInstance: Bool, _ ticket: Ticket) -> [Action] {
    wasKnown = true
    // Make before break: a carry of the same run goes on, on the old link, until it closes.
    guard state == .running, isSameInstance else { return closeCarry + resume(ticket) }
    return cancelAgain
  }

  private var closeCarry: [Action] { state == .running ? [.closeCarry(attachment)] : [] }
}

// Ends.
extension BrokerCall {
  private var overdueAt: ContinuousClock.Instant {
    state == .queued ? deadline : deadline + timing.overdue
  }

  private var strandedUntil: ContinuousClock.Instant? { strandedAt.map { $0 + timing.stranded } }

  private mutating func tick(_ now: ContinuousClock.Instant, _ ticket: Ticket) -> [Action] {
    guard !isEnded else { return [] }
    if let giveUpAt, giveUpAt <= now { return closeCarry + forget + end(.lost, .noExit) }
    if let strandedUntil, strandedUntil <= now { return end(.lost, .noLink) }
    if giveUpAt == nil, overdueAt <= now { return cancel(now, .deadlineInQueue) }
    if let grant, let expires = grant.expires, expires <= now {
      return grant.isOffer ? offer(ticket) : resume(ticket)
    }
    return []
  }

  private mutating func cancel(_ now: ContinuousClock.Instant, _ why: QueueEnd) -> [Action] {
    guard !isEnded, !isCancelled else { return [] }
    if state == .queued {
      return switch why {
      case .cancelled: end(.cancelled, .cancelledBeforeStart)
      case .deadlineInQueue: end(.refused, .deadlineInQueue)
      }
    }
    isCancelled = true
    giveUpAt = now + timing.exit
    return link == nil ? [] : [.cancel]
  }

  private mutating func workspaceStopped() -> [Action] {
    switch state {
    case .ended: []
    case .queued: end(.cancelled, .cancelledBeforeStart)
    case .offered, .running, .detached: closeCarry + forget + end(.lost, .workspaceStopped)
    }
  }

  private enum QueueEnd { case cancelled, deadlineInQueue }

  private var forget: [Action] { link == nil ? [] : [.forget] }

  private mutating func end(_ outcome: Outcome, _ reason: Reason) -> [Action] {
    state = .ended(outcome)
    grant = nil
    giveUpAt = nil
    strandedAt = nil
    return [.end(outcome, reason)]
  }
}
