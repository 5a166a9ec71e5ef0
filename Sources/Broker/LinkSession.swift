internal import Calls
internal import EventLoop
internal import FoundationEssentials
internal import Identity
internal import RPC
internal import Wire

/// A daemon's session: its `Connect` stream.
///
///     awaiting hello ── hello ──▶ taking inventory ── last page ──▶ up ── end ──▶ over
///
/// Messages to the daemon go out at once, except offers: those wait while much is queued already,
/// so that cancels and heartbeats do not.
final class LinkSession: ServerHandler {
  let workspace: WorkspaceEntry
  let epoch: SessionEpoch
  private(set) var phase = Phase.awaitingHello
  private(set) var instance: InstanceID?
  private(set) var maxCalls = 0
  /// What the daemon says of itself, for people.
  private(set) var version = ""
  private(set) var capabilities: [String] = []
  private(set) var known: Set<String> = []
  /// What it says of those of `known` that were given up here.
  private(set) var found: [String: FoundCall] = [:]
  /// Whether it says how one of those ended.
  func mayTell(_ id: String) -> Bool {
    guard let outcome = found[id]?.outcome else { return false }
    return outcome != .lost
  }
  /// Calls that nobody else knows, whose ends it told: it may forget them once these are recorded.
  var awaited: Set<String> = []
  /// Its tools that only look, as it says: capabilities `idempotent:NAME`.
  func isIdempotent(_ tool: String) -> Bool { capabilities.contains("idempotent:\(tool)") }
  let began = ContinuousClock.now
  /// When it came up, in microseconds since 1970, and what its workspace had done before.
  private(set) var cameUp: (at: Int64, base: Traffic) = (0, Traffic())

  private let board: Switchboard
  private let call: ServerCall
  private var liveness: Liveness
  private var timer: LoopTimer?
  /// What the daemon's messages cost and was not given back yet.
  private var owedCredit = 0
  private var waitingOffers: [(call: Call, message: [UInt8])] = []

  enum Phase { case awaitingHello, takingInventory, up, over }

  /// The protocol generation we speak.
  static let generation: UInt32 = 1
  /// The most calls an inventory may name.
  static let maxInventory = 4096
  static let maxMessage = 64 * 1024
  /// A daemon that has us answer and does not read may send no more beyond this, in bytes.
  private static let answerMark = 256 * 1024
  /// Offers wait beyond this, in bytes.
  private static let offerMark = 64 * 1024

  init(_ board: Switchboard, _ call: ServerCall, workspace: WorkspaceEntry, epoch: SessionEpoch) {
    self.board = board
    self.call = call
    self.workspace = workspace
    self.epoch = epoch
    liveness = Liveness(now: .now, interval: board.options.heartbeat)
    armTimer()
  }

  var peer: Peer { call.peer }

  var isUp: Bool { phase == .up }

  /// Nil until the daemon said which instance it is.
  var link: BrokerCall.Link? { instance.map { BrokerCall.Link(epoch: epoch, instance: $0) } }

  /// Ends the stream from our side.
  func close(_ status: RPCStatus) {
    guard phase != .over else { return }
    call.finish(status)
    over(status)
  }

  /// It is the workspace's link from now on.
  func came(at time: Int64, base: Traffic) { cameUp = (time, base) }

  // MARK: What arrives

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    owedCredit += credit
    defer { giveCredit() }
    guard phase != .over else { return }
    liveness.heard(at: .now)
    do {
      guard message.count <= Self.maxMessage else {
        throw RPCStatus(.resourceExhausted, "a message on Connect has at most 64 KiB")
      }
      try take(try Gatehouse_Link_V1_ConnectRequest.decoded(message))
    } catch {
      close(error as? RPCStatus ?? RPCStatus(.internalError))
    }
  }

  func halfClosed(_ call: ServerCall) { close(.ok) }

  func ended(_ status: RPCStatus, _ call: ServerCall) { over(status) }

  func drained(_ call: ServerCall) {
    giveCredit()
    sendOffers()
  }

  private func giveCredit() {
    guard call.queuedBytes <= Self.answerMark else { return call.notifyWhenDrained() }
    call.credit(owedCredit)
    owedCredit = 0
  }

  private func take(_ request: Gatehouse_Link_V1_ConnectRequest) throws(RPCStatus) {
    switch (phase, request.message) {
    case (.awaitingHello, .hello(let hello)): try greet(hello)
    case (.takingInventory, .inventory(let page)): try take(page)
    case (.awaitingHello, _), (.takingInventory, .refused), (.takingInventory, .unclaimed):
      throw RPCStatus(.failedPrecondition, "say hello, then the inventory to its last page")
    case (.up, .refused(let refused)): board.refused(refused, on: self)
    case (.up, .unclaimed(let unclaimed)): board.unclaimed(unclaimed.callID, on: self)
    case (_, .hello), (.up, .inventory):
      throw RPCStatus(.failedPrecondition, "hello and inventory come once in a link")
    case (_, .heartbeat), (_, nil), (.over, _): break
    }
  }

  private func greet(_ hello: Gatehouse_Link_V1_Hello) throws(RPCStatus) {
    guard hello.generation >= 1 else {
      throw RPCStatus(.failedPrecondition, "the plane speaks generation \(Self.generation)")
    }
    guard let instance = InstanceID(bytes: Array(hello.instanceID)) else {
      throw RPCStatus(.invalidArgument, "an instance id has 16 bytes")
    }
    guard hello.maxCalls > 0 else {
      throw RPCStatus(.invalidArgument, "max_calls is 0: the daemon could run nothing")
    }
    self.instance = instance
    version = String(hello.version.prefix(128))
    capabilities = hello.capabilities.prefix(256).map { String($0.prefix(128)) }
    // Each call needs a stream: one too many would be resumed and refused without end.
    maxCalls = min(
      Int(hello.maxCalls),
      board.options.admission.callsPerDaemon,
      board.options.carriesPerDaemon
    )
    phase = .takingInventory
    welcome()
    // The welcome says how often; beats are counted from it.
    liveness = Liveness(now: .now, interval: board.options.heartbeat)
    rearmTimer()
  }

  private func welcome() {
    var response = Gatehouse_Link_V1_ConnectResponse()
    response.welcome.sessionEpoch = epoch.number
    response.welcome.generation = Self.generation
    response.welcome.heartbeatMs = UInt32(board.options.heartbeat.milliseconds)
    response.welcome.ticketMs = UInt32(board.options.timing.claim.milliseconds)
    response.welcome.maxCalls = UInt32(maxCalls)
    response.welcome.workspaceID = workspace.id
    response.welcome.workspaceName = workspace.name
    call.send(response.encoded)
  }

  private func take(_ page: Gatehouse_Link_V1_Inventory) throws(RPCStatus) {
    guard known.count + page.calls.count <= Self.maxInventory else {
      throw RPCStatus(.resourceExhausted, "an inventory names at most \(Self.maxInventory) calls")
    }
    for call in page.calls where Identifier.isValid(call.callID) {
      known.insert(call.callID)
      if board.isGivenUp(call.callID, in: workspace.id) { found[call.callID] = FoundCall(call) }
    }
    guard page.last else { return }
    phase = .up
    board.linkUp(self)
    (known, found) = ([], [:])
  }

  // MARK: What is sent

  func offer(_ order: Call, _ ticket: Ticket) {
    let request = order.order.request
    let message = OfferMessage.make(
      callID: order.id,
      ticket: ticket.bytes,
      digest: order.digest,
      deadline: max(1, UInt64(clamping: (order.deadline - .now).milliseconds)),
      tool: order.order.tool,
      request: request.count <= CarryHandler.largestOfferedRequest ? request : nil,
      requestBytes: request.count
    )
    guard waitingOffers.isEmpty, call.queuedBytes <= Self.offerMark else {
      waitingOffers.append((order, message))
      return sendOffers()
    }
    send((order, message))
  }

  func resume(_ order: Call, _ ticket: Ticket) {
    var response = Gatehouse_Link_V1_ConnectResponse()
    response.resume.callID = order.id
    response.resume.ticket = Data(ticket.bytes)
    let arrived = order.log.ends.offsets(of: CallStream.outputs)
    if capabilities.contains("resume-received") {
      // What its owner has not taken would be lost with this plane.
      response.resume.acknowledged = order.log.taken.offsets(of: CallStream.outputs)
      response.resume.received = arrived
    } else {
      response.resume.acknowledged = arrived
    }
    call.send(response.encoded)
    board.ticketSent(order)
  }

  func cancel(_ id: String) {
    // Behind its offer, or the daemon would not know what is meant.
    if let index = waitingOffers.firstIndex(where: { $0.call.id == id }) {
      send(waitingOffers.remove(at: index))
    }
    var response = Gatehouse_Link_V1_ConnectResponse()
    response.cancel.callID = id
    call.send(response.encoded)
  }

  func forget(_ ids: [String]) {
    // An id has 64 bytes at most, and a message on Connect 64 KiB.
    var rest = ids[...]
    while !rest.isEmpty {
      var response = Gatehouse_Link_V1_ConnectResponse()
      response.forget.callIds = Array(rest.prefix(Self.idsInMessage))
      rest = rest.dropFirst(Self.idsInMessage)
      call.send(response.encoded)
    }
  }

  private static let idsInMessage = 512

  func drain(_ reason: String) {
    var response = Gatehouse_Link_V1_ConnectResponse()
    response.drain.reason = reason
    call.send(response.encoded)
  }

  private func sendOffers() {
    while !waitingOffers.isEmpty {
      guard call.queuedBytes <= Self.offerMark else { return call.notifyWhenDrained() }
      send(waitingOffers.removeFirst())
    }
  }

  private func send(_ offer: (call: Call, message: [UInt8])) {
    call.send(offer.message)
    board.ticketSent(offer.call)
  }

  // MARK: Time

  private func armTimer() {
    // The board finds the session again: a timer's action cannot hold what is bound to a loop.
    let limit = isUp ? liveness.wakeAt : min(liveness.wakeAt, inventoryLimit)
    timer = board.loop.schedule(at: limit) { [board, workspace, epoch] in
      board.tickLink(workspace.id, epoch)
    }
  }

  /// By then it is up. Heartbeats keep a link, not one that does not become any.
  private var inventoryLimit: ContinuousClock.Instant { began + board.options.inventoryTime }

  private func rearmTimer() {
    if let timer { board.loop.cancel(timer) }
    armTimer()
  }

  func tick() {
    guard phase != .over else { return }
    guard isUp || .now < inventoryLimit else {
      let limit = board.options.inventoryTime
      return close(RPCStatus(.deadlineExceeded, "hello and inventory take at most \(limit)"))
    }
    switch liveness.tick(at: .now) {
    case .nothing: break
    case .send where phase == .awaitingHello: break  // the welcome comes first
    case .send(let sequence):
      var response = Gatehouse_Link_V1_ConnectResponse()
      response.heartbeat.sequence = sequence
      call.send(response.encoded)
    case .dead:
      return close(RPCStatus(.unavailable, "nothing was heard for \(Liveness.patience) heartbeats"))
    }
    armTimer()
  }

  private func over(_ status: RPCStatus) {
    guard phase != .over else { return }
    phase = .over
    if let timer { board.loop.cancel(timer) }
    waitingOffers = []
    board.linkOver(self, status)
  }
}

extension Duration {
  var milliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
