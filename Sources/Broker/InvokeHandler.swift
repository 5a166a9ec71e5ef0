internal import Calls
internal import FoundationEssentials
internal import Identity
internal import RPC
internal import Wire

/// A call's owner: starts it, writes its input, and takes its output for good.
final class InvokeHandler: ServerHandler {
  private let board: Switchboard
  private let principal: Principal
  private let call: ServerCall
  private var reader: ReaderStream
  private var order: Call?
  private var isStarted = false
  /// What the tool has taken, and what of it the client knows.
  private var stdinTaken = Positions()
  private var stdinTold = Positions()
  /// What the client has taken. An `Ack` need not name each stream.
  private var acknowledged = Positions()
  /// What it had of the output when it came back.
  private var cameWith = Positions()
  private var isEndSent = false
  private var isWindowRaised = false
  /// `Accepted` waits for the call's record: whoever leaves a detached call behind it finds the call later.
  private var isAcceptDue = false
  private var isRepeated = false

  init(_ board: Switchboard, _ call: ServerCall) throws(RPCStatus) {
    self.board = board
    self.call = call
    principal = try call.principal
    reader = ReaderStream(call, from: Positions())
  }

  // MARK: What arrives

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    do {
      if Chunk.begins(message) {
        try write(message, credit)
      } else {
        call.credit(credit)
        if !isStarted, let start = StartMessage(message) { return try begin(start, Positions()) }
        try take(try Gatehouse_Tools_V1_InvokeRequest.decoded(message))
      }
    } catch {
      call.finish(error)
      leave()
    }
  }

  func halfClosed(_ call: ServerCall) {
    guard let order else {
      if !isStarted { call.finish(RPCStatus(.invalidArgument, "the first request is `start`")) }
      return
    }
    if !order.stdin.isClosed { try? order.stdin.close(at: order.stdin.end) }
    order.carry?.pump()
  }

  func drained(_ call: ServerCall) {
    tellStdinTaken()
    pump()
  }

  func ended(_ status: RPCStatus, _ call: ServerCall) {
    leave(mayReturn: status.code != .cancelled)
  }

  private func take(_ request: Gatehouse_Tools_V1_InvokeRequest) throws(RPCStatus) {
    if case .start(let start) = request.message {
      return try begin(StartMessage(start), Positions(start.from))
    }
    guard let order else {
      if isStarted { return }  // crossed the end
      throw RPCStatus(.invalidArgument, "the first request is `start`")
    }
    switch request.message {
    case .closeStdin(let close): try closeStdin(of: order, at: close.offset)
    case .signal(let signal): try board.signal(signal.number, order)
    case .resize(let resize): try board.resize(resize, order)
    case .ack(let ack): try acknowledge(ack, order)
    case .chunk, .start, nil: break
    }
  }

  private func begin(_ start: StartMessage, _ from: Positions) throws(RPCStatus) {
    guard !isStarted else { throw RPCStatus(.invalidArgument, "`start` comes once") }
    isStarted = true
    var wanted = try orderFrom(start)
    wanted.hasOutput = CallStream.outputs.contains { from[$0] > 0 }
    let (order, isRepeated) = try board.submit(wanted)
    self.isRepeated = isRepeated
    isAcceptDue = wanted.isDetached && order.intent == nil
    if !isAcceptDue { accept(order) }
    order.owner?.displaced()
    order.owner = self
    self.order = order
    if isRepeated { comeBack(to: order, from) }
    board.offerNext()
    pump()
  }

  private func accept(_ order: Call) {
    isAcceptDue = false
    call.send(
      AcceptedMessage.make(callID: order.id, digest: order.digest, repeatedKey: isRepeated)
    )
  }

  /// The call's intent is kept.
  func recorded() {
    guard isAcceptDue, let order else { return }
    accept(order)
    pump()
  }

  private func comeBack(to order: Call, _ from: Positions) {
    reader = ReaderStream(call, from: from)
    (cameWith, acknowledged) = (from, from)
    board.ownerReturned(to: order)
    stdinTaken[.stdin] = order.stdin.acknowledged
    tellStdinTaken()
  }

  private func orderFrom(
    _ start: StartMessage
  ) throws(RPCStatus) -> CallOrder {
    let rule = Gatehouse_Tools_V1_LogRule(rawValue: Int(clamping: start.log))
    let canKeep = board.options.spool != nil
    guard rule == .unspecified || rule == .relay || (rule == .keep && canKeep) else {
      let rules = canKeep ? "RELAY and KEEP" : "RELAY"
      throw RPCStatus(.unimplemented, "this plane has the log rule \(rules) only")
    }
    var order = CallOrder(
      principal: principal,
      workspace: start.workspace,
      tool: start.tool,
      request: start.request
    )
    if start.timeout > 0 { order.timeout = .milliseconds(Int64(clamping: start.timeout)) }
    order.idempotencyKey = start.idempotencyKey
    order.isDetached = start.detaches
    order.isKept = canKeep && (rule == .keep || (rule == .unspecified && start.detaches))
    order.acknowledges = start.acknowledges
    order.resumes = start.resumes
    if start.grace > 0 { order.grace = .milliseconds(Int64(clamping: start.grace)) }
    return order
  }

  private func write(_ message: [UInt8], _ credit: Int) throws(RPCStatus) {
    guard let order, !order.machine.isEnded else {
      call.credit(credit)
      if isStarted { return }  // crossed the end
      throw RPCStatus(.invalidArgument, "the first request is `start`")
    }
    do {
      let chunk = try Chunk(message: message, direction: .toTool)
      guard chunk.stream == .stdin else { throw ChunkError.wrongStream }
      let due = try order.stdin.append(message, chunk, cost: credit)
      if due > 0 { call.credit(due) }
      raiseWindow(for: order)
    } catch {
      throw RPCStatus(.invalidArgument, "the chunk was refused: \(error)")
    }
    order.carry?.pump()
  }

  /// The first 64 KiB every stream has; the rest is its principal's budget, until the call ends.
  private func raiseWindow(for order: Call) {
    guard !isWindowRaised else { return }
    isWindowRaised = true
    let first = 64 * 1024
    if order.stdinCharge == 0 {
      let wanted = StdinLog.capacity - first
      order.stdinCharge = board.stdins.take(wanted, for: principal.description)
    }
    call.raiseWindow(to: first + order.stdinCharge)
  }

  private func closeStdin(of order: Call, at offset: UInt64) throws(RPCStatus) {
    do {
      try order.stdin.close(at: offset)
    } catch {
      throw RPCStatus(.invalidArgument, "close_stdin was refused: \(error)")
    }
    order.carry?.pump()
  }

  private func acknowledge(
    _ ack: Gatehouse_Tools_V1_Ack,
    _ order: Call
  ) throws(RPCStatus) {
    guard order.order.acknowledges else { return }
    acknowledged.raise(to: Positions(ack.offsets))
    do {
      try takeAcknowledged(of: order)
    } catch {
      throw RPCStatus(.outOfRange, "the acknowledgement was refused: \(error)")
    }
    if isEndSent { pump() }
  }

  private func takeAcknowledged(of order: Call) throws(PositionError) {
    var taken = acknowledged
    // It may have what an earlier plane gave it, and its daemon is about to send again.
    for stream in CallStream.outputs where taken[stream] <= cameWith[stream] {
      taken[stream] = min(taken[stream], order.log.ends[stream])
    }
    board.taken(try order.log.take(before: taken), of: order)
  }

  // MARK: What is sent

  /// What it asked the disk for.
  func fetched(_ page: SpoolPage) {
    reader.take(page)
    pump()
  }

  func pump() {
    guard let order, !isAcceptDue || order.machine.isEnded else { return }
    if isAcceptDue, order.endReason != .notRecorded { accept(order) }
    let progress = reader.pump(order, for: ObjectIdentifier(self))
    if !order.order.acknowledges {
      takeSent(order)
    } else if cameWith != Positions() {
      // Within what there is, so it cannot be refused.
      try? takeAcknowledged(of: order)
    }
    guard progress == .caughtUp, order.machine.isEnded, let end = order.end else { return }
    switch order.endReason {
    case .notRecorded:
      let isRepeated = order.refusal?.code == "already_exists"
      finish(RPCStatus(isRepeated ? .alreadyExists : .unavailable, order.refusal?.message ?? ""))
    case .deadlineInQueue:
      finish(.full("workspace '\(order.workspace.name)' had no room", .seconds(1)))
    case .noLinkInQueue: finish(.notLinked(order.workspace))
    default:
      if !isEndSent { call.send(end.message) }
      isEndSent = true
      guard !order.order.resumes || order.log.isTaken else { return }
      order.isDelivered = true
      call.finish(.ok)
    }
    leave()
  }

  /// The call ended with this status; who comes back for it hears no other.
  private func finish(_ status: RPCStatus) {
    var status = status
    status.trailers.add("gatehouse-final", "1")
    call.finish(status)
  }

  private func takeSent(_ order: Call) {
    guard reader.isDrained else { return call.notifyWhenDrained() }
    board.taken(order.log.take(passedBy: reader.cursor), of: order)
  }

  func stdinTaken(before offset: UInt64, credit: Int) {
    call.credit(credit)
    stdinTaken[.stdin] = offset
    tellStdinTaken()
  }

  /// A client that does not read hears it later, all at once.
  private func tellStdinTaken() {
    guard stdinTaken != stdinTold else { return }
    guard reader.isDrained else { return call.notifyWhenDrained() }
    stdinTold = stdinTaken
    var response = Gatehouse_Tools_V1_InvokeResponse()
    response.ack.offsets = stdinTaken.offsets(of: [.stdin])
    call.send(response.encoded)
  }

  // MARK: The end

  /// The same call was asked for again, with its idempotency key.
  func displaced() {
    call.finish(RPCStatus(.aborted, "another stream has taken over this call"))
    order?.stdin.ownerLeft()
    order = nil
  }

  private func leave(mayReturn: Bool = false) {
    guard let order else { return }
    self.order = nil
    guard order.owner === self else { return }
    order.owner = nil
    board.ownerLeft(order, mayReturn: mayReturn)
  }
}

extension StartMessage {
  fileprivate init(_ start: Gatehouse_Tools_V1_InvokeStart) {
    self.init(
      workspace: start.workspace,
      tool: start.tool,
      request: Array(start.request),
      timeout: start.timeoutMs,
      idempotencyKey: start.idempotencyKey,
      log: UInt64(clamping: start.log.rawValue),
      detaches: start.detach,
      acknowledges: start.acknowledges,
      resumes: start.resumes,
      grace: UInt64(start.graceMs)
    )
  }
}

extension ServerCall {
  /// Who calls.
  var principal: Principal {
    get throws(RPCStatus) {
      guard let principal = peer.identity as? Principal else {
        throw RPCStatus(.unauthenticated, "the certificate names nobody")
      }
      return principal
    }
  }
}

extension RPCStatus {
  static func notLinked(_ workspace: WorkspaceEntry) -> RPCStatus {
    RPCStatus(
      .unavailable,
      "workspace '\(workspace.name)' is not linked; start it, or wait for it"
    )
  }

  /// The caller has none of this id or name; another's is as good as none.
  static func noWorkspace(_ reference: String) -> RPCStatus {
    RPCStatus(.notFound, "there is no workspace '\(reference)'; see: gatehouse workspace list")
  }

  /// Too much at once; the trailer `retry-after-ms` says when to come again.
  static func full(_ message: String, _ retryAfter: Duration) -> RPCStatus {
    var status = RPCStatus(.resourceExhausted, "\(message); try again later")
    status.trailers.add("retry-after-ms", String(retryAfter.milliseconds))
    return status
  }
}
