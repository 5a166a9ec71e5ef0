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
    /// For a detached or queued call whose workspace has no link: a daemon that restarts is back in
    /// seconds, and one that is not back by then has no news of the call that are worth the wait.
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
    /// A link is over; a call that was not offered yet hears of its workspace's latest only.
    case linkLost(SessionEpoch, ContinuousClock.Instant)
    /// A link's inventory is whole, with this call in it or not.
    case linkUp(Link, isKnown: Bool, Ticket)
    /// Its workspace's owner stopped the workspace, and the call did not end in time.
    case workspaceStopped
    /// What it is about to do could not be recorded, so it must not be done.
    case notRecorded
    case tick(ContinuousClock.Instant, Ticket)
  }

  package enum Action: Sendable, Equatable {
    case offer(Ticket)
    case resume(Ticket)
    /// It was not started: it waits for its turn again.
    case queue
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
    /// It was never offered: its workspace was cut off and did not come back.
    case noLinkInQueue
    /// The daemon started anew and does not know it.
    case newInstance
    /// The daemon had it and does not know it any more.
    case unknownToDaemon
    /// What the daemon sent cannot be.
    case protocolBroken
    /// It could not be recorded, so it was not offered.
    case notRecorded
    /// No exit came, long after the deadline or a cancel.
    case noExit
    /// It was cut off, and its daemon did not come back.
    case noLink
    case workspaceStopped
  }

  struct Grant {
    let ticket: Ticket
    let epoch: SessionEpoch
    let isOffer: Bool
    var expires: ContinuousClock.Instant?
  }
}
