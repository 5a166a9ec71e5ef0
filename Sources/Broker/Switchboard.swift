internal import Calls
internal import Crypto
internal import Host
internal import EventLoop
internal import FoundationEssentials
internal import Identity
internal import RPC
internal import Synchronization
internal import Wire

/// The broker's state, and what streams and tasks do to it.
///
/// Why @unchecked Sendable: everything in it is touched on `loop` only. Streams' handlers are called
/// there, timers fire there, and the `Broker` actor runs there.
final class Switchboard: @unchecked Sendable {
  let loop: EventLoop
  let options: BrokerOptions
  let directory: any WorkspaceDirectory
  var budget: WindowBudget
  private(set) var links: [String: LinkSession] = [:]
  private(set) var calls: CallTable
  private var sessions: [SessionKey: LinkSession] = [:]
  private var epochs: [String: SessionEpoch] = [:]
  /// Open `Carry` streams of each workspace.
  private var carries: [String: Int] = [:]
  /// See `BrokerStatistics`.
  var counters = BrokerCounters()
  var tallies: [String: Tally] = [:]
  private var linkWaiters: [Int: LinkWaiter] = [:]
  private var linkWaiterCount = 0
  private var admission: Admission
  private var random = SecureRandom.Generator()
  private var isOffering = false
  private var isDraining = false

  init(on loop: EventLoop, directory: any WorkspaceDirectory, options: BrokerOptions) {
    self.loop = loop
    self.directory = directory
    self.options = options
    budget = WindowBudget(inAll: options.windowBudget)
    calls = CallTable(options)
    admission = Admission(limits: options.admission)
  }

  private struct SessionKey: Hashable {
    let workspace: String
    let epoch: SessionEpoch
  }

  private struct LinkWaiter {
    let workspace: String
    let wantsLink: Bool
    let continuation: CheckedContinuation<Void, Never>
  }
}

// Links.
extension Switchboard {
  /// A daemon opens `Connect`.
  ///
  /// - Throws: `NOT_FOUND` for a workspace that was deleted.
  func connect(_ call: ServerCall) throws(RPCStatus) -> LinkSession {
    let principal = try call.principal
    guard principal.kind == .workspace, let workspace = directory.workspace(id: principal.name)
    else { throw RPCStatus(.notFound, "there is no workspace '\(principal.name)'") }
    guard !isDraining else { throw RPCStatus(.unavailable, "the plane is stopping") }
    let epoch = (epochs[workspace.id] ?? SessionEpoch(0)).next
    epochs[workspace.id] = epoch
    let session = LinkSession(self, call, workspace: workspace, epoch: epoch)
    sessions[SessionKey(workspace: workspace.id, epoch: epoch)] = session
    return session
  }

  /// The inventory is whole: this is the workspace's link now.
  func linkUp(_ session: LinkSession) {
    guard let link = session.link else { return }
    let id = session.workspace.id
    if let old = links[id], old.epoch > session.epoch {
      return session.close(RPCStatus(.aborted, "a newer link has taken this one's place"))
    }
    let old = links.updateValue(session, forKey: id)
    old?.close(RPCStatus(.aborted, "a newer link has taken this one's place"))
    // Forget what we don't know, so that the daemon can.
    let unknown = session.known.filter { calls[$0]?.workspace.id != id }
    if !unknown.isEmpty { session.forget(unknown.sorted()) }
    admission.open(id, maxCalls: session.maxCalls)
    for call in calls.live(in: id) {
      handle(.linkUp(link, isKnown: session.known.contains(call.id), ticket()), for: call)
    }
    for call in calls.ended(among: session.known, in: id) {
      handle(.linkUp(link, isKnown: true, ticket()), for: call)
    }
    offerNext()
    counters.linkOpened()
    if tallies[id] == nil { tallies[id] = Tally() }
    session.came(at: Int64(ThisProcess.unixMilliseconds) * 1000, base: traffic(of: id))
    options.observe?(.linked(LinkReport(session, liveCalls: calls.live(in: id).count)))
    wakeLinkWaiters(of: id)
  }

  /// A session is over. If it was the workspace's link, the workspace has none; a newer link is
  /// left alone.
  func linkOver(_ session: LinkSession, _ status: RPCStatus) {
    let id = session.workspace.id
    sessions[SessionKey(workspace: id, epoch: session.epoch)] = nil
    if links[id] === session {
      links[id] = nil
      admission.close(id)
      tallies[id] = nil
      let report = LinkReport(session, liveCalls: calls.live(in: id).count)
      options.observe?(.unlinked(report, status))
    }
    for call in calls.live(in: id) { handle(.linkLost(session.epoch, .now), for: call) }
    wakeLinkWaiters(of: id)
  }

  func refused(_ refused: Gatehouse_Link_V1_Refused, on session: LinkSession) {
    guard let call = calls[refused.callID], call.workspace.id == session.workspace.id else {
      return
    }
    if refused.hasError { call.refusal = refused.error }
    handle(.refused(session.epoch), for: call)
  }

  func unclaimed(_ id: String, on session: LinkSession) {
    guard let call = calls[id], call.workspace.id == session.workspace.id else {
      return session.forget([id])
    }
    handle(.unclaimed(session.epoch, ticket()), for: call)
  }

  func tickLink(_ workspace: String, _ epoch: SessionEpoch) {
    sessions[SessionKey(workspace: workspace, epoch: epoch)]?.tick()
  }

  /// Asks the daemons to move away; no call is offered any more.
  func drain(_ reason: String) {
    isDraining = true
    for (id, session) in links {
      admission.close(id)
      session.drain(reason)
    }
  }

  /// Ends the links of a workspace, for example one that is deleted.
  func unlink(_ workspace: String, _ reason: RPCStatus) {
    for session in sessions.values where session.workspace.id == workspace { session.close(reason) }
  }

  /// Open `Carry` streams.
  var carryCount: Int { carries.values.reduce(0, +) }

  /// Ends what is left of a workspace's calls: nobody will say how.
  func endCalls(of workspace: String) {
    for call in calls.live(in: workspace) { handle(.workspaceStopped, for: call) }
  }

  func isLinked(_ workspace: String) -> Bool { links[workspace] != nil }

  /// - Returns: the wait's number, for `endLinkWait`.
  func waitForLink(
    _ workspace: String,
    wantsLink: Bool,
    _ continuation: CheckedContinuation<Void, Never>
  ) -> Int {
    linkWaiterCount += 1
    linkWaiters[linkWaiterCount] = LinkWaiter(
      workspace: workspace,
      wantsLink: wantsLink,
      continuation: continuation
    )
    return linkWaiterCount
  }

  func endLinkWait(_ waiter: Int) {
    linkWaiters.removeValue(forKey: waiter)?.continuation.resume()
  }

  private func wakeLinkWaiters(of workspace: String) {
    for (number, waiter) in linkWaiters
    where waiter.workspace == workspace && waiter.wantsLink == isLinked(workspace) {
      endLinkWait(number)
    }
  }
}

// Calls.
extension Switchboard {
  /// Takes an order: a new call, which waits for its turn, or the one its idempotency key names.
  ///
  /// - Throws: the status that `Tools.Invoke` names for each reason.
  func submit(_ order: CallOrder) throws(RPCStatus) -> (call: Call, isRepeated: Bool) {
    do {
      return try accept(order)
    } catch {
      counters.refused(error)
      options.observe?(.callRefused(order, error))
      throw error
    }
  }

  private func accept(_ order: CallOrder) throws(RPCStatus) -> (call: Call, isRepeated: Bool) {
    try order.validate(options)
    guard let workspace = directory.find(order.workspace, for: order.principal) else {
      throw RPCStatus(.notFound, "there is no workspace '\(order.workspace)'")
    }
    let digest = order.digest
    if let call = try calls.repeated(order, digest: digest, in: workspace) { return (call, true) }
    guard !isDraining else { throw RPCStatus(.unavailable, "the plane is stopping") }
    guard !workspace.isStopped else {
      throw RPCStatus(
        .unavailable,
        "workspace '\(workspace.name)' is stopped; run: gatehouse workspace start \(workspace.name)"
      )
    }
    guard links[workspace.id] != nil else {
      throw RPCStatus(
        .unavailable,
        "workspace '\(workspace.name)' is not linked; start it, or wait for it"
      )
    }
    let call = makeCall(order, digest: digest, in: workspace)
    let place = admission.submit(
      call.id,
      by: order.principal.description,
      to: workspace.id
    )
    if case .full(let delay) = place {
      throw .full("workspace '\(workspace.name)' has too many calls waiting", delay)
    }
    calls.insert(call)
    counters.accepted()
    options.observe?(.callAccepted(call.id, order))
    return (call, false)
  }

  private func makeCall(
    _ order: CallOrder,
    digest: [UInt8],
    in workspace: WorkspaceEntry
  ) -> Call {
    let created = Int64(ThisProcess.unixMilliseconds) * 1_000
    let id = Identifier.make(prefix: "call", now: UInt64(created / 1000), random: &random)
    let now = ContinuousClock.now
    return Call(
      id: id,
      workspace: workspace,
      order: order,
      digest: digest,
      deadline: now + (order.timeout ?? options.defaultTimeout),
      created: created,
      began: now,
      options: options
    )
  }

  /// The call with this id, for someone who may see it.
  ///
  /// - Throws: `NOT_FOUND`; also for calls of others, whose ids are nobody's business.
  func call(_ id: String, for principal: Principal) throws(RPCStatus) -> Call {
    guard let call = calls[id], call.order.isOwned(by: principal) else {
      throw RPCStatus(.notFound, "there is no call '\(id)'; ended calls are kept for a while only")
    }
    return call
  }

  /// A daemon opens `Carry`.
  ///
  /// - Throws: `NOT_FOUND`, unless certificate, epoch, call and ticket belong together.
  func carry(_ call: ServerCall) throws(RPCStatus) -> CarryHandler {
    let principal = try call.principal
    let refusal = RPCStatus(.notFound, "no such ticket; keep the call and report it as unclaimed")
    guard let order = call.metadata["gatehouse-call"].flatMap({ calls[$0] }),
      principal.kind == .workspace, principal.name == order.workspace.id,
      let epoch = call.metadata.bytes("gatehouse-epoch").flatMap({ SessionEpoch(text: $0) }),
      let ticket = call.metadata.bytes("gatehouse-ticket-bin").flatMap({ Ticket(bytes: $0) })
    else {
      counters.ticketRefused()
      options.observe?(.claimRefused(call.metadata["gatehouse-call"] ?? "", principal))
      throw refusal
    }
    guard carries[principal.name, default: 0] < options.carriesPerDaemon else {
      throw .full("workspace '\(order.workspace.name)' has too many streams open", .seconds(1))
    }
    let carry = CarryHandler(self, order, call)
    handle(.claim(BrokerCall.Claim(ticket: ticket, epoch: epoch), .now), for: order, by: carry)
    guard carry.attachment != nil else {
      counters.ticketRefused()
      options.observe?(.claimRefused(order.id, principal))
      throw refusal
    }
    carries[principal.name, default: 0] += 1
    return carry
  }

  /// A `Carry` stream is over; if it was the call's, the call is without one.
  func carryOver(_ carry: CarryHandler, of call: Call) {
    guard let attachment = carry.attachment else { return }
    let count = carries[call.workspace.id, default: 0] - 1
    carries[call.workspace.id] = count > 0 ? count : nil
    guard call.carry === carry else { return }
    call.carry = nil
    call.log.attachmentEnded()
    handle(.carryClosed(attachment: attachment, ticket(), .now), for: call)
  }

  func outputArrived(_ call: Call) {
    if call.isOrphaned { takeAll(call) }
    call.announce()
  }

  /// The owner's stream is gone: the call goes on alone, or is cancelled.
  func ownerLeft(_ call: Call) {
    call.stdin.ownerLeft()
    takeAll(call)
    if !call.order.isDetached { handle(.cancel(.now), for: call) }
  }

  private func takeAll(_ call: Call) {
    let credit = call.log.take(entries: call.log.entryCount)
    call.carry?.taken(credit: credit)
  }

  func cancel(_ call: Call) { handle(.cancel(.now), for: call) }

  /// - Throws: `INVALID_ARGUMENT`; `RESOURCE_EXHAUSTED` when too many wait for a cut call.
  func signal(_ number: Int32, _ call: Call) throws(RPCStatus) {
    guard (1...64).contains(number) else {
      throw RPCStatus(.invalidArgument, "signal \(number) is not 1…64")
    }
    var control = Gatehouse_Link_V1_CarryResponse()
    control.signal.number = number
    try send(control, to: call)
  }

  func resize(_ resize: Gatehouse_Tools_V1_Resize, _ call: Call) throws(RPCStatus) {
    guard (1...65535).contains(resize.columns), (1...65535).contains(resize.rows) else {
      throw RPCStatus(.invalidArgument, "a terminal has 1…65535 columns and rows")
    }
    call.controls.removeAll { if case .resize = $0.message { true } else { false } }
    var control = Gatehouse_Link_V1_CarryResponse()
    control.resize = resize
    try send(control, to: call)
  }

  private func send(
    _ control: Gatehouse_Link_V1_CarryResponse,
    to call: Call
  ) throws(RPCStatus) {
    guard !call.isEnded else { return }
    guard call.controls.count < 64 else {
      throw RPCStatus(.resourceExhausted, "64 signals wait for call \(call.id) already")
    }
    call.controls.append(control)
    call.carry?.pump()
  }
}

// The machine.
extension Switchboard {
  func ticket() -> Ticket { Ticket(random: &random) }

  /// The offer or resume of a call is on its way.
  func ticketSent(_ id: String) {
    guard let call = calls[id] else { return }
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
    if before == .offered { admission.claimed(call.id) }
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
    while let id = admission.next() {
      guard let call = calls[id], let link = links[call.workspace.id]?.link else { continue }
      handle(.admitted(link, ticket()), for: call)
    }
  }

  private func perform(_ action: BrokerCall.Action, for call: Call, _ carry: CarryHandler?) {
    switch action {
    case .offer(let ticket): links[call.workspace.id]?.offer(call, ticket)
    case .resume(let ticket): links[call.workspace.id]?.resume(call, ticket)
    case .cancel: links[call.workspace.id]?.cancel(call.id)
    case .forget: links[call.workspace.id]?.forget([call.id])
    case .attach(let number):
      call.carry = carry
      carry?.attached(as: number)
    case .turnAway: break  // the claimant sees that it was not attached
    case .closeCarry:
      let old = call.carry
      call.carry = nil
      call.log.attachmentEnded()
      old?.detach()
    case .acknowledgeExit:
      call.carry?.acknowledgeExit()
      call.carry = nil
    case .end(let outcome, let reason): end(call, outcome, reason)
    }
  }

  private func end(_ call: Call, _ outcome: Outcome, _ reason: BrokerCall.Reason) {
    call.end = reason == .reported ? call.reportedEnd : CallEnd(call.exit(outcome, reason))
    call.endReason = reason
    settle(call, outcome)
    options.observe?(.callEnded(CallReport(call, outcome, reason)))
    admission.ended(call.id)
    calls.end(call)
  }

  /// One timer for each call; it may come early, never late.
  private func arm(_ call: Call) {
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

extension CallOrder {
  /// The same name from another issuer is someone else.
  func isOwned(by other: Principal) -> Bool {
    principal.id == other.id && principal.issuerPin == other.issuerPin
  }
}
