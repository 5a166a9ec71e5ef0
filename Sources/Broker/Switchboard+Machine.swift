internal import Calls
internal import EventLoop
internal import Identity
internal import Wire

extension Switchboard {
  func ticket() -> Ticket { Ticket(random: &random) }

  /// The offer or resume of a call is on its way.
  func ticketSent(_ call: Call) {
    _ = call.machine.handle(.ticketSent(.now))
    arm(call)
  }

  func tick(_ id: String) {
    guard let call = calls[id] else { return }
    call.timer = nil
    handle(.tick(.now, ticket()), for: call)
  }

  /// Tells a call's machine what happened, and does what it says.
  func handle(_ event: BrokerCall.Event, for call: Call, by carry: CarryHandler? = nil) {
    let before = call.machine.state
    for action in call.machine.handle(event) { perform(action, for: call, carry) }
    guard call.machine.state != before else { return arm(call) }
    call.isStopping = isDraining
    if before == .offered, let turn = call.turn { admission.claimed(turn) }
    arm(call)
    call.announce()
    offerNext()
  }

  /// Offers what may be offered now.
  func offerNext() {
    // An offer's own events come back here; one loop is enough.
    guard !isOffering else { return }
    isOffering = true
    defer { isOffering = false }
    while let call = admission.next() as? Call {
      if call.intent == nil { call.isAwaitingRecord = true } else { offer(call) }
    }
  }

  func offer(_ call: Call) {
    guard let link = links[call.workspace.id]?.link else {
      // It waited for its record while the link was lost.
      return queue(call)
    }
    if let journal = options.journal, call.instance != link.instance {
      // Its intent names another run of the daemon.
      call.instance = link.instance
      call.isAwaitingRecord = true
      let id = call.id
      journal.offer(CallNote(call), on: link) { result in
        self.loop.execute { self.intended(id, result) }
      }
      return
    }
    handle(.admitted(link, ticket()), for: call)
  }

  /// Behind those that wait, as if it were new.
  private func queue(_ call: Call) {
    leaveTurn(of: call)
    let by = call.order.principal.description
    switch admission.submit(call, by: by, to: call.workspace.id) {
    case .queued(let turn): call.turn = turn
    case .full: handle(.tick(call.deadline, ticket()), for: call)
    }
  }

  /// It waits no more, and counts no more as one that its daemon has.
  func leaveTurn(of call: Call) {
    guard let turn = call.turn else { return }
    call.turn = nil
    admission.ended(turn)
  }

  private func perform(_ action: BrokerCall.Action, for call: Call, _ carry: CarryHandler?) {
    switch action {
    case .offer(let ticket):
      guard let session = links[call.workspace.id] else { break }
      if let link = session.link { note(.callOffered(CallNote(call), link)) }
      session.offer(call, ticket)
    case .resume(let ticket): links[call.workspace.id]?.resume(call, ticket)
    case .queue: queue(call)
    case .cancel: links[call.workspace.id]?.cancel(call.id)
    case .forget where !call.isFoundKept: break  // behind the record of what became of it
    case .forget where call.end == nil: call.isForgottenOnceKept = true  // its end follows
    case .forget where !call.isLetGo: call.wantsForget = true
    case .forget: links[call.workspace.id]?.forget([call.id])
    case .attach(let number):
      if !call.isStarted { note(.callStarted(CallNote(call), links[call.workspace.id]?.epoch)) }
      call.isStarted = true
      call.carry = carry
      carry?.attached(as: number)
    case .turnAway: break  // the claimant sees that it was not attached
    case .closeCarry:
      let old = call.carry
      dropCarry(of: call)
      old?.detach()
    case .acknowledgeExit:
      let carry = call.carry
      dropCarry(of: call)
      carry?.exitTaken()
      call.exitCarry = carry
    case .end(let outcome, let reason): end(call, outcome, reason)
    }
  }

  private func end(_ call: Call, _ outcome: Outcome, _ reason: BrokerCall.Reason) {
    if let recorded = call.recordedEnd, reason != .reported {
      lose(to: recorded.totals, of: call)
      call.end = CallEnd(recorded)
      call.endReason = .reported
    } else {
      call.end = reason == .reported ? call.reportedEnd : CallEnd(call.exit(outcome, reason))
      call.endReason = reason
    }
    if call.isErased { call.eraseAnswer() }
    let report = CallReport(call, outcome, reason)
    // The report has them, for the record.
    dropEffects(of: call)
    // An earlier plane has counted and told an end that it recorded.
    if call.recordedEnd == nil {
      settle(call, outcome)
      options.observe?(.callEnded(report))
    }
    call.stdin.callEnded()
    keepEnd(of: call, report)
    giveBackCharges(of: call)
    // What its daemon still has counts until that may forget it.
    if call.exitCarry == nil { leaveTurn(of: call) }
    calls.end(call)
    if call.keeper != nil { options.spool?.ended(call) }
    call.keeper?.callEnded()
    letGo(call)
  }

  /// Its request and its input are no more its principal's than those of any ended call.
  func giveBackCharges(of call: Call) {
    let principal = call.order.principal.description
    requests.giveBack(call.requestCharge, of: principal)
    stdins.giveBack(call.stdinCharge, of: principal)
    (call.requestCharge, call.stdinCharge) = (0, 0)
  }

  /// One timer for each call; it may come early, never late.
  func arm(_ call: Call) {
    guard let wakeAt = call.machine.wakeAt else {
      if let timer = call.timer { loop.cancel(timer.timer) }
      call.timer = nil
      return
    }
    if let timer = call.timer {
      guard wakeAt < timer.at else { return }
      loop.cancel(timer.timer)
    }
    let id = call.id
    call.timer = (wakeAt, loop.schedule(at: wakeAt) { [weak self] in self?.tick(id) })
  }
}
