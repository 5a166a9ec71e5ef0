internal import Calls
internal import EventLoop
internal import Host
internal import Identity
internal import RPC
internal import SwiftProtobuf
internal import Wire

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
      note(.callRefused(order, error))
      throw error
    }
  }

  private func accept(_ order: CallOrder) throws(RPCStatus) -> (call: Call, isRepeated: Bool) {
    try order.validate(options)
    var order = order
    order.isKept = order.isKept && options.spool != nil
    guard let workspace = directory.find(order.workspace, for: order.principal) else {
      throw .noWorkspace(order.workspace)
    }
    let digest = order.digest
    if let call = try calls.repeated(order, digest: digest, in: workspace) { return (call, true) }
    guard !order.hasOutput else {
      throw RPCStatus(
        .notFound,
        "the call of idempotency key '\(order.idempotencyKey)' is not here any more, so how it ended "
          + "is not known"
      )
    }
    guard !isDraining else { throw RPCStatus(.unavailable, "the plane is stopping") }
    guard !workspace.isStopped else {
      throw RPCStatus(
        .unavailable,
        "workspace '\(workspace.name)' is stopped; run: gatehouse workspace start \(workspace.name)"
      )
    }
    guard links[workspace.id] != nil else { throw .notLinked(workspace) }
    if let failure = options.journal?.failure { throw RPCStatus(.unavailable, failure) }
    let charge = order.request.count > Self.smallRequest ? order.request.count : 0
    let principal = order.principal.description
    guard requests.takeAll(charge, for: principal) else {
      throw .full("\(principal) has too many bytes of requests under way", .seconds(1))
    }
    let call = makeCall(order, digest: digest, in: workspace)
    call.requestCharge = charge
    call.instance = links[workspace.id]?.instance
    switch admission.submit(call, by: principal, to: workspace.id) {
    case .queued(let turn): call.turn = turn
    case .full(let delay):
      requests.giveBack(charge, of: principal)
      throw .full("workspace '\(workspace.name)' has too many calls waiting", delay)
    }
    calls.insert(call)
    counters.accepted()
    options.observe?(.callAccepted(call.id, order))
    intend(call)
    return (call, false)
  }

  /// Those are bounded by their number.
  private static let smallRequest = 4_096

  /// Has the call's intent kept; it is not offered before.
  private func intend(_ call: Call) {
    guard let journal = options.journal else {
      call.intent = 0
      return
    }
    guard !call.order.idempotencyKey.isEmpty, calls.mayLackKeys else {
      return intend(call, journal)
    }
    let id = call.id
    journal.holder(ofKeyOf: CallNote(call)) { result in
      self.loop.execute { self.found(holder: result, ofKeyOf: id, journal) }
    }
  }

  private func found(
    holder: Result<String?, JournalError>,
    ofKeyOf id: String,
    _ journal: any CallJournal
  ) {
    guard let call = calls[id], !call.machine.isEnded else { return }
    switch holder {
    case .success(nil): intend(call, journal)
    case .success(let other?):
      refuse(call, "already_exists", "call \(other) has ended and is not kept any more")
    case .failure(let error): refuse(call, "unavailable", error.message)
    }
  }

  private func intend(_ call: Call, _ journal: any CallJournal) {
    let id = call.id
    // Ends with the record, which is soon.
    journal.intend(CallNote(call)) { result in
      self.loop.execute { self.intended(id, result) }
    }
  }

  func intended(_ id: String, _ result: Result<UInt64, JournalError>) {
    guard let call = calls[id] else { return }
    switch result {
    case .success(let record):
      call.intent = call.intent ?? record
      call.owner?.recorded()
      guard call.isAwaitingRecord else { return }
      call.isAwaitingRecord = false
      if !call.machine.isEnded { offer(call) }
    case .failure(let error):
      guard !call.machine.isEnded else { return }
      refuse(call, "unavailable", error.message)
    }
  }

  /// It is not recorded, so it is never made.
  private func refuse(_ call: Call, _ code: String, _ message: String) {
    call.isAwaitingRecord = false
    call.refusal = .with {
      $0.code = code
      $0.message = message
    }
    handle(.notRecorded, for: call)
  }

  func note(_ event: @autoclosure () -> BrokerEvent) {
    if let journal = options.journal { journal.record(event()) }
  }

  private func makeCall(
    _ order: CallOrder,
    digest: [UInt8],
    in workspace: WorkspaceEntry
  ) -> Call {
    let created = Int64(ThisProcess.unixMilliseconds) * 1_000
    let id = Identifier.make(prefix: "call", now: UInt64(created / 1000), random: &random)
    let now = ContinuousClock.now
    let call = Call(
      id: id,
      workspace: workspace,
      order: order,
      digest: digest,
      deadline: now + (order.timeout ?? min(options.defaultTimeout, options.longestTimeout)),
      created: created,
      began: now,
      options: options
    )
    if let spool = options.spool, order.isKept {
      call.keep(in: spool, by: self, spool.makeLog(window: options.logWindow))
    }
    return call
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

  /// `principal`: who asked for it; nil: the plane's own doing.
  func cancel(_ call: Call, by principal: Principal?, _ reason: String) {
    guard !call.machine.isEnded, !call.machine.isCancelled else { return }
    if call.recordedEnd == nil {
      note(.callCancelled(CallNote(call), by: principal, reason: reason))
    }
    handle(.cancel(.now), for: call)
  }

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

extension CallOrder {
  /// The same name from another issuer is someone else.
  func isOwned(by other: Principal) -> Bool {
    principal.id == other.id && principal.issuerPin == other.issuerPin
  }
}
