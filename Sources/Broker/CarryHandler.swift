internal import Calls
internal import FoundationEssentials
internal import RPC
internal import SwiftProtobuf
internal import Wire

/// A call's attachment: one `Carry` stream whose ticket was good.
///
/// Output goes into the call's log as it came, after one walk over its tags; input goes to the
/// daemon as its owner framed it.
final class CarryHandler: ServerHandler {
  /// A longer request follows on the call's own stream.
  static let largestOfferedRequest = 32 * 1024
  /// Input waits in its log while this much waits to be sent, in bytes.
  private static let highMark = 256 * 1024
  /// Output is acknowledged every so many bytes: half of the daemon's smallest ring.
  private static let acknowledgeEvery = 32 * 1024

  /// Its number in the call's machine, once the claim stands.
  var attachment: Int?
  private let board: Switchboard
  private let order: Call
  private let call: ServerCall
  private var isOpened = false
  private var isOver = false
  private var hasExit = false
  private var hasEffects = false
  private var isAcknowledged = false
  private var isHalfClosed = false
  /// Position in the request, when it did not fit into the offer.
  private var requestSent: Int
  private var promised = 0
  private var isBulk = false
  private var chunks = 0
  private var chunkBytes = 0
  /// Bytes in a chunk, on average, of a stream that earns the bulk window: smaller ones take more
  /// memory than window.
  private static let bulkChunk = 512

  init(_ board: Switchboard, _ order: Call, _ call: ServerCall) {
    self.board = board
    self.order = order
    self.call = call
    requestSent = order.order.request.count
  }

  /// The claim stands: what the daemon may send at once grows.
  func attached(as number: Int) {
    attachment = number
    raiseWindow()
  }

  /// Gives up its part of the budget: what it brought and nobody took is the call's now.
  func surrenderPromise() -> Int {
    defer { promised = 0 }
    return promised
  }

  /// The call does not listen to this stream any more.
  func detach() {
    guard !isOver else { return }
    call.finish(RPCStatus(.aborted, "call \(order.id) has moved to another stream"))
    over()
  }

  /// The call has its exit; what else comes is not wanted.
  func exitTaken() { hasExit = true }

  /// The daemon may forget the call; status OK says so, once it has ended its side.
  func acknowledgeExit() {
    isAcknowledged = true
    // One that does not come keeps all of the call here, which nobody counts any more.
    if isHalfClosed { finish() } else { call.expectEnd() }
  }

  /// Gives back credit for what the owner took, and acknowledges it.
  func taken(credit: Int) {
    guard !isOver else { return }
    call.credit(credit)
    // A daemon that does not read hears it later, all at once.
    guard call.queuedBytes < Self.highMark,
      let positions = order.log.acknowledgement(every: Self.acknowledgeEvery)
    else { return }
    var response = Gatehouse_Link_V1_CarryResponse()
    response.ack.offsets = positions.offsets(of: CallStream.outputs)
    call.send(response.encoded)
  }

  /// Sends what there is for the tool, as far as there is room.
  func pump() {
    guard isOpened, !isOver, !hasExit else { return }
    while call.queuedBytes < Self.highMark {
      guard sendControl() || sendRequest() || sendStdin() else { return }
    }
    call.notifyWhenDrained()
  }

  // MARK: What arrives

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    guard !isOver, !hasExit else { return call.credit(credit) }
    do {
      if Chunk.begins(message), isOpened {
        try append(message, credit)
      } else {
        try takeOther(message, credit)
      }
    } catch {
      fail(error)
    }
  }

  func halfClosed(_ call: ServerCall) {
    isHalfClosed = true
    if hasExit {
      if isAcknowledged { finish() }
      return
    }
    call.finish(RPCStatus(.cancelled, "the stream ended without an exit; the call goes on"))
    over()
  }

  /// The daemon has what it sent, and would send it again on each stream it is given.
  func violated(_ status: RPCStatus, on call: ServerCall) {
    if !isOver { fail(status) }
  }

  func ended(_ status: RPCStatus, _ call: ServerCall) { over() }

  func drained(_ call: ServerCall) { pump() }

  private func append(_ message: [UInt8], _ credit: Int) throws(RPCStatus) {
    do {
      let chunk = try Chunk(message: message, direction: .fromTool)
      try order.log.append(message, chunk, cost: credit)
      chunks += 1
      chunkBytes += chunk.data.count
      if !isBulk, chunk.end > board.options.bulkAfter, chunkBytes >= Self.bulkChunk * chunks {
        becomeBulk()
      }
    } catch {
      throw RPCStatus(.invalidArgument, "the chunk was refused: \(error)")
    }
    board.outputArrived(order)
  }

  /// Two messages come in every call, and mostly in their plain form; a protobuf library reads the
  /// rest.
  private func takeOther(_ message: [UInt8], _ credit: Int) throws(RPCStatus) {
    if !isOpened, message == Self.openedAtTheBeginning {
      call.credit(credit)
      try open(Gatehouse_Link_V1_Opened())
    } else if isOpened, let exit = ExitMessage(message) {
      call.credit(credit)
      try settle(exit.totals)
      try end(CallEnd(exit), exit.outcome)
    } else {
      let request = try Gatehouse_Link_V1_CarryRequest.decoded(message)
      guard !isOpened || !request.isGap else { return try append(request.gap, credit) }
      call.credit(credit)
      try take(request, ofBytes: message.count)
    }
  }

  /// `CarryRequest{opened{}}`
  private static let openedAtTheBeginning: [UInt8] = [0x22, 0]

  private func take(
    _ request: Gatehouse_Link_V1_CarryRequest,
    ofBytes count: Int
  ) throws(RPCStatus) {
    guard isOpened || request.isOpened else {
      throw RPCStatus(.failedPrecondition, "the first message on Carry is `opened`")
    }
    switch request.message {
    case .opened(let opened): try open(opened)
    case .ack(let ack): try acknowledge(ack)
    case .exit(let exit): try take(exit)
    case .effects(let effects): try take(effects, ofBytes: count)
    case .chunk: throw RPCStatus(.invalidArgument, "the chunk was refused: it holds more than one")
    case .gap, nil: break
    }
  }

  private func open(_ opened: Gatehouse_Link_V1_Opened) throws(RPCStatus) {
    guard !isOpened else { throw RPCStatus(.failedPrecondition, "`opened` comes once") }
    let received = Positions(opened.received)
    let request = order.order.request.count
    do {
      try order.stdin.rewind(to: received[.stdin])
    } catch {
      throw RPCStatus(.outOfRange, "`opened` does not fit: \(error)")
    }
    guard received[.request] <= UInt64(request) else {
      throw RPCStatus(.outOfRange, "the request has \(request) bytes")
    }
    if request > Self.largestOfferedRequest { requestSent = Int(received[.request]) }
    isOpened = true
    pump()
  }

  /// A gap is an entry of the log as a chunk is: its credit, too, comes back when it was taken.
  private func append(_ gap: Gatehouse_Tools_V1_Gap, _ credit: Int) throws(RPCStatus) {
    guard let stream = CallStream(gap.stream), stream.direction == .fromTool else {
      throw RPCStatus(.invalidArgument, "a gap is in an output")
    }
    try append(LostBytes(stream: stream, offset: gap.offset, count: gap.length), credit)
    board.outputArrived(order)
  }

  private func append(_ lost: LostBytes, _ credit: Int) throws(RPCStatus) {
    do {
      try order.log.append(lost, cost: credit)
      order.lostBytes &+= lost.count
    } catch {
      throw RPCStatus(.invalidArgument, "the gap was refused: \(error)")
    }
  }

  private func acknowledge(_ ack: Gatehouse_Tools_V1_Ack) throws(RPCStatus) {
    let taken = Positions(ack.offsets)[.stdin]
    do {
      let credit = try order.stdin.acknowledge(before: taken)
      order.owner?.stdinTaken(before: order.stdin.acknowledged, credit: credit)
    } catch {
      throw RPCStatus(.outOfRange, "the acknowledgement was refused: \(error)")
    }
    pump()
  }

  private func take(_ exit: Gatehouse_Tools_V1_Exit) throws(RPCStatus) {
    guard let outcome = Outcome(exit.outcome) else {
      throw RPCStatus(.invalidArgument, "an exit names its outcome")
    }
    try settle(
      exit.totals.compactMap { total in CallStream(total.stream).map { ($0, total.bytes) } }
    )
    try end(CallEnd(exit), outcome)
  }

  /// The same comes once on each stream.
  private func take(
    _ effects: Gatehouse_Tools_V1_Effects,
    ofBytes count: Int
  ) throws(RPCStatus) {
    guard !hasEffects else { throw RPCStatus(.failedPrecondition, "`effects` come once") }
    hasEffects = true
    board.keep(effects, ofBytes: count, of: order)
  }

  private func end(_ end: CallEnd, _ outcome: Outcome) throws(RPCStatus) {
    guard let attachment else { return }
    order.reportedEnd = end
    board.handle(.exit(attachment: attachment, outcome), for: order)
  }

  /// Bytes that the daemon counted and did not send are lost, and said to be.
  private func settle(_ totals: [(stream: CallStream, bytes: UInt64)]) throws(RPCStatus) {
    for (stream, bytes) in totals where stream.direction == .fromTool {
      let end = order.log.ends[stream]
      guard bytes >= end else {
        throw RPCStatus(.invalidArgument, "\(stream) has \(end) bytes, more than its total")
      }
      guard bytes > end else { continue }
      try append(LostBytes(stream: stream, offset: end, count: bytes - end), 0)
    }
  }

  // MARK: What is sent

  private func sendControl() -> Bool {
    guard !order.controls.isEmpty else { return false }
    call.send(order.controls.removeFirst().encoded)
    return true
  }

  private func sendRequest() -> Bool {
    let request = order.order.request
    guard requestSent < request.count else { return false }
    let part = request[requestSent...].prefix(Chunk.maxData)
    call.send(Chunk.message(stream: .request, offset: UInt64(requestSent), data: part))
    requestSent += part.count
    return true
  }

  private func sendStdin() -> Bool {
    switch order.stdin.next() {
    case .message(let message): call.send(message)
    case .close(let offset):
      var response = Gatehouse_Link_V1_CarryResponse()
      response.closeStdin.offset = offset
      call.send(response.encoded)
    case nil: return false
    }
    return true
  }

  // MARK: Windows and the end

  /// The daemon broke the protocol: it is told how, and so is the call's owner.
  private func fail(_ status: RPCStatus) {
    call.finish(status)
    if let attachment {
      order.refusal = .with { $0.message = status.message }
      board.handle(.carryBroken(attachment: attachment), for: order)
    }
    over()
  }

  private func becomeBulk() {
    isBulk = true
    raiseWindow()
  }

  /// The first 64 KiB every stream has; the rest is the daemon's budget. What earlier streams of the
  /// call brought and nobody took counts as part of this one's.
  func raiseWindow() {
    let first = 64 * 1024
    let window = isBulk ? board.options.bulkWindow : board.options.interactiveWindow
    let missing = window - first - promised - order.retained
    promised += board.budget.take(missing, for: order.workspace.id)
    call.raiseWindow(to: first + promised)
  }

  private func finish() {
    guard !isOver else { return }
    call.finish(.ok)
    over()
  }

  private func over() {
    guard !isOver else { return }
    isOver = true
    board.carryOver(self, of: order)
    board.budget.giveBack(surrenderPromise(), of: order.workspace.id)
  }
}

extension Gatehouse_Link_V1_CarryRequest {
  fileprivate var isGap: Bool { if case .gap = message { true } else { false } }

  fileprivate var isOpened: Bool { if case .opened = message { true } else { false } }
}
