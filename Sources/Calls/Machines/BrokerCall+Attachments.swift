extension BrokerCall {
  mutating func carryClosed(
    _ number: Int,
    _ ticket: Ticket,
    _ now: ContinuousClock.Instant
  ) -> [Action] {
    guard state == .running, number == attachment else { return [] }
    state = .detached
    // One that has the call says so (`unclaimed`).
    if link == nil || isDoubted { strandedAt = now }
    return isDoubted ? [] : resume(ticket)
  }

  mutating func carryBroken(_ number: Int) -> [Action] {
    guard state == .running, number == attachment else { return [] }
    return forget + end(.lost, .protocolBroken)
  }

  mutating func exited(_ number: Int, _ outcome: Outcome) -> [Action] {
    guard state == .running, number == attachment else { return [] }
    return [.acknowledgeExit] + end(outcome, .reported)
  }

  mutating func linkLost(
    _ epoch: SessionEpoch,
    _ now: ContinuousClock.Instant
  ) -> [Action] {
    if state == .queued { strandedAt = now }
    guard link?.epoch == epoch else { return [] }
    link = nil
    grant = nil
    if state == .offered { state = .detached }
    if state == .detached { strandedAt = now }
    return []
  }

  mutating func linkUp(_ link: Link, isKnown: Bool, _ ticket: Ticket) -> [Action] {
    guard !isEnded else { return isKnown ? [.forget] : [] }
    if state == .queued { strandedAt = nil }
    guard state != .queued, self.link.map({ $0.epoch < link.epoch }) ?? true else { return [] }
    let isSameInstance = link.instance == instance
    self.link = link
    grant = nil
    strandedAt = nil
    if isKnown { return known(isSameInstance: isSameInstance, ticket) }
    if state == .running, isSameInstance {
      isDoubted = true
      return cancelAgain
    }
    if isRepeatable, !isCancelled, !isSameInstance || wasKnown { return closeCarry + again() }
    guard isSameInstance else { return closeCarry + end(.lost, .newInstance) }
    guard !wasKnown else { return closeCarry + end(.lost, .unknownToDaemon) }
    guard !isCancelled else { return end(.cancelled, .cancelledBeforeStart) }
    guard isInherited else { return offer(ticket) }
    return again()
  }

  /// To be offered in its turn, as if it never had been.
  private mutating func again() -> [Action] {
    isInherited = false
    wasKnown = false
    state = .queued
    return [.queue]
  }

  /// The daemon has the call on its new link.
  mutating func known(isSameInstance: Bool, _ ticket: Ticket) -> [Action] {
    wasKnown = true
    isInherited = false
    isDoubted = false
    // Make before break: a carry of the same run goes on, on the old link, until it closes.
    guard state == .running, isSameInstance else { return closeCarry + resume(ticket) }
    return cancelAgain
  }

  var closeCarry: [Action] { state == .running ? [.closeCarry(attachment)] : [] }
}
