extension BrokerCall {
  mutating func admitted(on link: Link, _ ticket: Ticket) -> [Action] {
    guard state == .queued else { return [] }
    self.link = link
    return offer(ticket)
  }

  mutating func offer(_ ticket: Ticket) -> [Action] {
    guard let link else { return [] }
    state = .offered
    instance = link.instance
    grant = Grant(ticket: ticket, epoch: link.epoch, isOffer: true)
    return [.offer(ticket)] + cancelAgain
  }

  mutating func resume(_ ticket: Ticket) -> [Action] {
    guard let link else { return [] }
    state = .detached
    instance = link.instance
    grant = Grant(ticket: ticket, epoch: link.epoch, isOffer: false)
    return [.resume(ticket)] + cancelAgain
  }

  /// On `Connect` behind the offer or resume, so the daemon knows what is meant.
  var cancelAgain: [Action] { isCancelled ? [.cancel] : [] }

  mutating func ticketSent(_ now: ContinuousClock.Instant) -> [Action] {
    let expires = now + timing.claim
    grant?.expires = expires
    return []
  }

  mutating func claimed(_ claim: Claim, _ now: ContinuousClock.Instant) -> [Action] {
    guard let grant, claim.epoch == grant.epoch, claim.ticket == grant.ticket,
      grant.expires.map({ now < $0 }) ?? true
    else { return [.turnAway] }
    self.grant = nil
    strandedAt = nil
    state = .running
    wasKnown = true
    isDoubted = false
    attachment += 1
    attachmentEpoch = claim.epoch
    return [.attach(attachment)]
  }

  mutating func refused(_ epoch: SessionEpoch) -> [Action] {
    guard link?.epoch == epoch, state == .offered || state == .detached, !wasKnown else {
      return []
    }
    return end(.refused, .refusedByDaemon)
  }

  mutating func unclaimed(_ epoch: SessionEpoch, _ ticket: Ticket) -> [Action] {
    guard !isEnded else { return [.forget] }
    guard link?.epoch == epoch, state != .queued else { return [] }
    wasKnown = true
    if isDoubted { (isDoubted, strandedAt) = (false, nil) }
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
