internal import Calls
internal import EventLoop
internal import Host
internal import Wire

// Calls of an earlier broker.
extension Switchboard {
  /// Takes calls over, in the order in which they were made, before any link is there. Those that have
  /// not ended wait for their daemons to say what became of them, and for their owners.
  func inherit(_ inherited: [InheritedCall], _ keys: [InheritedKey]) {
    let now = Int64(ThisProcess.unixMicroseconds)
    for key in keys { calls.remember(key, now: now) }
    for one in inherited {
      let call = Call(one, now: now, options: options)
      calls.insert(call)
      keep(call, one.spool)
      // Of one that had ended, what its owner has not taken may still be with its daemon.
      call.recordedEnd = one.end?.exit
      guard let end = one.end, !mayHaveMore(call, end.exit) else {
        take(over: call)
        continue
      }
      close(call, as: end.exit, age: max(.zero, Duration.microseconds(now - end.time)))
    }
  }

  /// Goes on keeping its output, behind what an earlier broker has kept.
  private func keep(_ call: Call, _ found: RecoveredSpool?) {
    guard let store = options.spool, call.order.isKept || found != nil else { return }
    let spool = CallSpool(
      segmentBytes: store.options.segmentBytes,
      quota: store.options.callBytes,
      found: found?.segments ?? []
    )
    let log = CallLog(window: options.logWindow, spool: spool, ends: found?.ends ?? Positions())
    call.keep(in: store, by: self, log)
  }

  /// Of one that has ended: its daemon may have output that somebody waits for.
  private func mayHaveMore(_ call: Call, _ exit: Gatehouse_Tools_V1_Exit) -> Bool {
    guard call.keeper != nil else { return call.order.resumes }
    return exit.totals.contains { total in
      CallStream(total.stream).map { $0.direction == .fromTool && total.bytes > call.log.ends[$0] }
        ?? false
    }
  }

  private func take(over call: Call) {
    if call.recordedEnd == nil { counters.accepted() }
    call.turn = admission.adopt(in: call.workspace.id)
    guard directory.workspace(id: call.workspace.id) != nil else {
      return handle(.workspaceStopped, for: call)
    }
    arm(call)
    // Whoever asked for it asks anew: it must not be started for nobody.
    if !call.isStarted, call.recordedEnd == nil, !call.order.isDetached,
      call.order.idempotencyKey.isEmpty
    {
      return cancel(call, by: nil, "its owner cannot come back")
    }
    awaitOwner(of: call, for: max(call.order.grace ?? .zero, options.ownerReturn))
  }

  /// It had ended, and nobody came back for the rest of its output.
  private func conclude(_ call: Call, as exit: Gatehouse_Tools_V1_Exit) {
    close(call, as: exit, age: .zero)
    leaveTurn(of: call)
    arm(call)
    call.announce()
    offerNext()
  }

  /// One that has ended is kept for its idempotency key: whoever comes back hears how.
  private func close(_ call: Call, as exit: Gatehouse_Tools_V1_Exit, age: Duration) {
    lose(to: exit.totals, of: call)
    call.end = CallEnd(exit)
    call.endReason = .reported
    (call.isEndKept, call.isLetGo) = (true, true)
    call.machine = .ended(Outcome(exit.outcome) ?? .lost)
    dropEffects(of: call)
    giveBackCharges(of: call)
    call.stdin.callEnded()
    if call.keeper != nil { options.spool?.ended(call) }
    calls.end(call, ago: age)
    call.keeper?.callEnded()
  }
}

// Recorded ends.
extension Switchboard {
  /// What nobody has any more of a call's output, up to its totals.
  func lose(to totals: [Gatehouse_Tools_V1_StreamTotal], of call: Call) {
    for total in totals {
      guard let stream = CallStream(total.stream), stream.direction == .fromTool,
        case let end = call.log.ends[stream], total.bytes > end
      else { continue }
      // It follows on what there is, so it fits.
      let lost = LostBytes(stream: stream, offset: end, count: total.bytes - end)
      try? call.log.append(lost, cost: 0)
    }
  }
}

// Owners that go, and come back.
extension Switchboard {
  /// The owner's stream is gone: the call waits for it, goes on alone, or is cancelled. `mayReturn`: its
  /// connection was cut; it did not leave.
  func ownerLeft(_ call: Call, mayReturn: Bool = false) {
    call.stdin.ownerLeft()
    // The next plane has the call, and its owner comes back there; until then nobody takes its output.
    guard !isDraining else {
      call.awaitsOwner = true
      return
    }
    guard mayReturn, call.order.resumes, !call.isLetGo else { return giveUpOwner(of: call) }
    awaitOwner(of: call, for: call.order.grace ?? options.ownerGrace)
  }

  /// An owner is there again.
  func ownerReturned(to call: Call) {
    call.awaitsOwner = false
    if let timer = call.ownerTimer { loop.cancel(timer) }
    call.ownerTimer = nil
    call.stdin.ownerReturned()
  }

  func awaitOwner(of call: Call, for time: Duration) {
    call.awaitsOwner = true
    // Holds the call, which may leave the table before: what it holds of budgets is to be given back.
    call.ownerTimer = loop.schedule(after: time) { [weak self] in
      guard let self, call.awaitsOwner, !isDraining else { return }
      call.ownerTimer = nil
      giveUpOwner(of: call)
    }
  }

  private func giveUpOwner(of call: Call) {
    let didWait = call.awaitsOwner
    call.awaitsOwner = false
    takeAll(call)
    if let exit = call.recordedEnd, call.machine.state == .detached {
      return conclude(call, as: exit)
    }
    if !call.order.isDetached {
      cancel(call, by: nil, didWait ? "its owner did not come back" : "its owner went away")
    }
    letGo(call)
  }
}

// Ends that are kept.
extension Switchboard {
  /// Has the record of a call's end kept, without which its daemon must not forget the call.
  func keepEnd(of call: Call, _ report: CallReport) {
    guard let journal = options.journal, call.recordedEnd == nil,
      call.intent != nil || report.reason != .notRecorded
    else {
      return endKept(of: call)
    }
    journal.end(report) {
      self.loop.execute {
        self.endKept(of: call)
        self.letGo(call)
        self.offerNext()
      }
    }
  }

  private func endKept(of call: Call) {
    call.isEndKept = true
    guard call.isForgottenOnceKept else { return }
    call.isForgottenOnceKept = false
    links[call.workspace.id]?.forget([call.id])
  }

  /// The daemon may forget a call once its end is kept and its owner has all of it: until then a plane
  /// that takes this one's place can have output and end once more.
  func letGo(_ call: Call) {
    guard call.end != nil, call.isEndKept, !call.isLetGo else { return }
    // The one who takes its output for good has all of it.
    let isTaken =
      call.keeper?.isKeeping == true ? call.log.isSynced : call.isDelivered || call.isOrphaned
    guard isTaken else { return holdExit(of: call) }
    call.isLetGo = true
    if let timer = call.holdTimer { loop.cancel(timer) }
    call.holdTimer = nil
    let carry = call.exitCarry
    call.exitCarry = nil
    carry?.acknowledgeExit()
    if call.wantsForget { links[call.workspace.id]?.forget([call.id]) }
    leaveTurn(of: call)
  }

  /// An owner that does not read keeps its daemon from forgetting for a while only.
  private func holdExit(of call: Call) {
    guard call.holdTimer == nil, call.exitCarry != nil || call.wantsForget else { return }
    call.holdTimer = loop.schedule(after: options.exitHold) { [weak self] in
      guard let self else { return }
      call.holdTimer = nil
      call.isDelivered = true
      call.keeper?.giveUp()
      letGo(call)
      offerNext()
    }
  }
}
