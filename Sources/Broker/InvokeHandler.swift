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
        if !isStarted, let start = StartMessage(message) { return try begin(start) }
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

  func ended(_ status: RPCStatus, _ call: ServerCall) { leave() }

  private func take(_ request: Gatehouse_Tools_V1_InvokeRequest) throws(RPCStatus) {
    if case .start(let start) = request.message { return try begin(StartMessage(start)) }
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

  private func begin(_ start: StartMessage) throws(RPCStatus) {
    guard !isStarted else { throw RPCStatus(.invalidArgument, "`start` comes once") }
    isStarted = true
    let (order, isRepeated) = try board.submit(try orderFrom(start))
    call.send(
      AcceptedMessage.make(callID: order.id, digest: order.digest, repeatedKey: isRepeated)
    )
    call.raiseWindow(to: StdinLog.capacity)
    order.owner?.displaced()
    order.owner = self
    self.order = order
    board.offerNext()
    pump()
  }

  private func orderFrom(
    _ start: StartMessage
  ) throws(RPCStatus) -> CallOrder {
    let rules: [Gatehouse_Tools_V1_LogRule] = [.unspecified, .relay]
    guard rules.contains(where: { $0.rawValue == start.log }) else {
      throw RPCStatus(.unimplemented, "this plane has the log rule RELAY only")
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
    order.acknowledges = start.acknowledges
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
      try order.stdin.append(message, chunk, cost: credit)
    } catch {
      throw RPCStatus(.invalidArgument, "the chunk was refused: \(error)")
    }
    order.carry?.pump()
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
      order.carry?.taken(credit: try order.log.take(before: acknowledged))
    } catch {
      throw RPCStatus(.outOfRange, "the acknowledgement was refused: \(error)")
    }
  }

  // MARK: What is sent

  func pump() {
    guard let order else { return }
    let progress = reader.pump(order)
    if !order.order.acknowledges { takeSent(order) }
    guard progress == .caughtUp, order.machine.isEnded, let end = order.end else { return }
    if order.endReason == .deadlineInQueue {
      call.finish(.full("workspace '\(order.workspace.name)' had no room", .seconds(1)))
    } else {
      reader.finish(end)
    }
    leave()
  }

  private func takeSent(_ order: Call) {
    guard reader.isDrained else { return call.notifyWhenDrained() }
    order.carry?.taken(credit: order.log.take(entries: reader.cursor.entries))
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

  private func leave() {
    guard let order else { return }
    self.order = nil
    guard order.owner === self else { return }
    order.owner = nil
    board.ownerLeft(order)
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
      acknowledges: start.acknowledges
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
  /// Too much at once; the trailer `retry-after-ms` says when to come again.
  static func full(_ message: String, _ retryAfter: Duration) -> RPCStatus {
    var status = RPCStatus(.resourceExhausted, "\(message); try again later")
    status.trailers.add("retry-after-ms", String(retryAfter.milliseconds))
    return status
  }
}
