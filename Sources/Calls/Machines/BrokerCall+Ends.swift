extension BrokerCall {
  var overdueAt: ContinuousClock.Instant {
    state == .queued ? deadline : deadline + timing.overdue
  }

  var strandedUntil: ContinuousClock.Instant? { strandedAt.map { $0 + timing.stranded } }

  mutating func tick(_ now: ContinuousClock.Instant, _ ticket: Ticket) -> [Action] {
    guard !isEnded else { return [] }
    if let giveUpAt, giveUpAt <= now { return closeCarry + forget + end(.lost, .noExit) }
    if let strandedUntil, strandedUntil <= now {
      if state == .queued { return end(.refused, .noLinkInQueue) }
      return end(.lost, isDoubted ? .unknownToDaemon : .noLink)
    }
    if giveUpAt == nil, overdueAt <= now { return cancel(now, .deadlineInQueue) }
    if let grant, let expires = grant.expires, expires <= now {
      return grant.isOffer ? offer(ticket) : resume(ticket)
    }
    return []
  }

  mutating func cancel(_ now: ContinuousClock.Instant, _ why: QueueEnd) -> [Action] {
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

  mutating func workspaceStopped() -> [Action] {
    switch state {
    case .ended: []
    case .queued: end(.cancelled, .cancelledBeforeStart)
    case .offered, .running, .detached: closeCarry + forget + end(.lost, .workspaceStopped)
    }
  }

  enum QueueEnd { case cancelled, deadlineInQueue }

  var forget: [Action] { link == nil ? [] : [.forget] }

  mutating func end(_ outcome: Outcome, _ reason: Reason) -> [Action] {
    state = .ended(outcome)
    grant = nil
    giveUpAt = nil
    strandedAt = nil
    return [.end(outcome, reason)]
  }
}
