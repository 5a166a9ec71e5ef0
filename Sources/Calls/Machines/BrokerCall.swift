/// One call as the broker sees it: events in, actions out. Holds no bytes; those are in its logs.
///
///     state     event                            next       actions
///     queued    admitted                         offered    offer
///               cancel, owner gone               ended      end cancelled
///               deadline, no link for long       ended      end refused
///               its intent cannot be kept        ended      end refused
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
///               link up, same instance, unknown  running    – (claimed behind its inventory, or lost:
///                                                           seen when its carry has closed)
///     detached  such a carry closed, unclaimed   detached   resume
///               link lost                        running    – (the carry may live elsewhere)
///     detached  no link for long                 ended      end lost
///     detached  claim: right ticket, in time     running    attach
///               ticket too old                   detached   resume with a new ticket
///               unclaimed                        detached   the same resume again
///     any but   link up, call known              as before  resume, unless its carry lives
///     queued    link up, same instance, unknown  offered    offer again, if it was never known
///                                                ended      end lost, if it was
///               link up, new instance, unknown   ended      end lost
///                 likewise, it may be repeated   queued     queue
///               cancel, owner gone, deadline     as before  cancel; again on each new link
///               no exit long after that          ended      forget, end lost
///               workspace stopped                ended      close carry, forget, end lost
///     queued    workspace stopped                ended      end cancelled
///     detached  of an earlier plane: link up,
///               same instance, unknown           queued     queue, if it was never known
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

  package internal(set) var state = State.queued
  /// Counts the `Carry` streams of this call; the latest is the only one that is listened to.
  package internal(set) var attachment = 0
  /// Whether the daemon was told to end it, or will be as soon as it is linked.
  package internal(set) var isCancelled = false

  let timing: Timing
  let deadline: ContinuousClock.Instant
  var link: Link?
  /// The daemon's run that was offered the call.
  var instance: InstanceID?
  /// The daemon has shown that it has the call.
  var wasKnown = false
  /// Its tool only looks, and nothing of its answer has come: a run that does not know it may be asked.
  package var isRepeatable = false
  /// An earlier plane took it, and no daemon has said yet whether it has it.
  var isInherited = false
  /// Its carry lives, and a later link's inventory did not have it: that may be older than the claim.
  var isDoubted = false
  var attachmentEpoch: SessionEpoch?
  var grant: Grant?
  var giveUpAt: ContinuousClock.Instant?
  /// Since when it is queued or detached and has no link to be offered or resumed on.
  var strandedAt: ContinuousClock.Instant?

  /// A call that waits for its turn. The daemon ends it at the deadline; here the deadline bounds the
  /// time in the queue, and some time after it the plane steps in.
  package init(deadline: ContinuousClock.Instant, timing: Timing = Timing()) {
    self.deadline = deadline
    self.timing = timing
  }

  /// A call that an earlier plane took and that has not ended: its daemon says what became of it.
  /// `instance` is the daemon's run that may have been offered it; nil: nobody knows which. `wasKnown`:
  /// a daemon has had it. `isCancelled`: its end was asked for.
  package init(
    inheritedFrom instance: InstanceID?,
    wasKnown: Bool,
    isCancelled: Bool,
    deadline: ContinuousClock.Instant,
    timing: Timing = Timing(),
    now: ContinuousClock.Instant
  ) {
    self.init(deadline: deadline, timing: timing)
    self.instance = instance
    self.wasKnown = wasKnown
    self.isCancelled = isCancelled
    state = .detached
    isInherited = true
    strandedAt = now
    if isCancelled { giveUpAt = now + timing.exit }
  }

  /// A call that ended long ago.
  package static func ended(_ outcome: Outcome) -> BrokerCall {
    var call = BrokerCall(deadline: .now)
    call.state = .ended(outcome)
    return call
  }

  /// Inlinable: across modules it would be asked of a copy, and it is asked all the time.
  @inlinable package var isEnded: Bool {
    if case .ended = state { true } else { false }
  }

  /// When a `tick` is wanted at the latest.
  package var wakeAt: ContinuousClock.Instant? {
    guard !isEnded else { return nil }
    // Asked after each event; a list and its minimum take three times as long.
    var first = giveUpAt ?? overdueAt
    if let expires = grant?.expires { first = min(first, expires) }
    if let strandedUntil { first = min(first, strandedUntil) }
    return first
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
    case .notRecorded: state == .queued ? end(.refused, .notRecorded) : []
    case .tick(let now, let ticket): tick(now, ticket)
    }
  }
}
