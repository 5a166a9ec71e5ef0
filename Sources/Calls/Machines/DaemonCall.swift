/// One call as its daemon sees it: events in, actions out. Holds no bytes; those are in its rings.
///
///     state     event                            next      actions
///     received  request whole                    running   start
///               cancel, deadline                 ended     exit, if attached
///     running   cancel, deadline                 running   kill, once
///               tool ended                       ended     exit, if attached
///               forget                           running   kill; drop when it has ended
///     ended     exit acknowledged, forget        gone      drop
///     any but   offer or resume, new ticket      the same  close the old carry, open one
///     gone      offer or resume, same ticket     the same  –
///               carry closed                     the same  say unclaimed
///
/// `received` is a call whose request still comes on its carry. The exit record is kept until the
/// plane acknowledges it.
package struct DaemonCall: Sendable {
  package enum State: Sendable, Equatable {
    case received, running
    case ended(Outcome)
    case gone
  }

  package private(set) var state = State.received
  /// Counts the `Carry` streams of this call; the latest is the only one that is listened to.
  package private(set) var attachment = 0

  private var ticket: Ticket?
  private var killed: KillReason?
  /// The tool came to its end by itself: nothing can end it any more.
  private var isDone = false
  private var isForgotten = false

  init() {}

  package var isAttached: Bool { ticket != nil }

  package var isEnded: Bool {
    if case .ended = state { true } else { false }
  }

  package enum KillReason: Sendable, Equatable { case cancelled, deadline, forgotten }

  package enum Event: Sendable {
    /// An offer of a call that is known, or a resume.
    case granted(Ticket)
    /// The request is whole and its digest is right.
    case requestWhole
    case cancel
    case deadline
    case forget
    /// Its tree of processes is gone, and only what it changed is not known yet: what comes now does
    /// not change how it ended.
    case toolDone
    /// Its tree of processes is gone, and its exit is whole.
    case toolEnded(Outcome)
    /// The stream was refused or cut, or ended without status OK after the exit.
    case carryClosed(attachment: Int)
    /// Status OK after the exit.
    case exitAcknowledged(attachment: Int)
  }

  package enum Action: Sendable, Equatable {
    case start
    /// Open a `Carry` with this ticket and number; if the call has ended, the exit is sent on it.
    case openCarry(Ticket, attachment: Int)
    case closeCarry(attachment: Int)
    case kill(KillReason)
    case sendExit(Outcome)
    case reportUnclaimed
    /// Drop rings and exit record.
    case drop
    /// Nothing of it was started, nor will be.
    case refuse(Refusal)
  }

  package enum Refusal: Sendable, Equatable { case cancelled, tooManyCalls }

  mutating func handle(_ event: Event) -> [Action] {
    guard state != .gone else { return [] }
    switch event {
    case .granted(let ticket): return granted(ticket)
    case .requestWhole: return requestWhole()
    case .cancel: return kill(.cancelled)
    case .deadline: return kill(.deadline)
    case .forget: return forget()
    case .toolDone:
      isDone = true
      return []
    case .toolEnded(let outcome): return toolEnded(outcome)
    case .carryClosed(let number): return carryClosed(number)
    case .exitAcknowledged(let number): return exitAcknowledged(number)
    }
  }

  private mutating func granted(_ ticket: Ticket) -> [Action] {
    guard ticket != self.ticket else { return [] }
    let old: [Action] = isAttached ? [.closeCarry(attachment: attachment)] : []
    self.ticket = ticket
    attachment += 1
    return old + [.openCarry(ticket, attachment: attachment)]
  }

  private mutating func requestWhole() -> [Action] {
    guard state == .received else { return [] }
    state = .running
    return [.start]
  }

  private mutating func kill(_ reason: KillReason) -> [Action] {
    switch state {
    case .received: return ended(reason == .deadline ? .timedOut : .cancelled)
    case .running where killed == nil && !isDone:
      killed = reason
      return [.kill(reason)]
    default: return []
    }
  }

  private mutating func forget() -> [Action] {
    guard state == .running else { return drop() }
    isForgotten = true
    return kill(.forgotten)
  }

  private mutating func toolEnded(_ outcome: Outcome) -> [Action] {
    guard state == .received || state == .running else { return [] }
    if isForgotten { return drop() }
    switch killed {
    case .cancelled, .forgotten: return ended(.cancelled)
    case .deadline: return ended(.timedOut)
    case nil: return ended(outcome)
    }
  }

  private mutating func ended(_ outcome: Outcome) -> [Action] {
    state = .ended(outcome)
    return isAttached ? [.sendExit(outcome)] : []
  }

  private mutating func carryClosed(_ number: Int) -> [Action] {
    guard isAttached, number == attachment else { return [] }
    ticket = nil
    return [.reportUnclaimed]
  }

  private mutating func exitAcknowledged(_ number: Int) -> [Action] {
    guard isEnded, isAttached, number == attachment else { return [] }
    ticket = nil
    return drop()
  }

  private mutating func drop() -> [Action] {
    let carry: [Action] = isAttached ? [.closeCarry(attachment: attachment)] : []
    state = .gone
    ticket = nil
    return carry + [.drop]
  }
}
