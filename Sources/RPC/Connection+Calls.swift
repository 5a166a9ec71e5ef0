internal import EventLoop
internal import HTTP2

/// What handlers do to their calls, and what they hear of them.
extension Connection {
  // MARK: From the handlers

  func send(_ message: [UInt8], on state: StreamState) {
    guard !state.isGone, state.ending == nil else { return }
    if role.isServer, !state.sentHeaders { sendMetadata(Metadata(), on: state) }
    table.enqueue(message, on: state)
    wake(state)
  }

  func sendMetadata(_ metadata: Metadata, on state: StreamState) {
    guard !state.isGone, !state.sentHeaders, state.ending == nil else { return }
    state.sentHeaders = true
    var block = Self.responseHead
    if limits.acceptsGzip { block.append("grpc-accept-encoding", "identity,gzip") }
    if state.gzips { block.append("grpc-encoding", "gzip") }
    metadata.append(to: &block)
    respond(on: state, block, hasBody: true)
  }

  func finish(_ status: RPCStatus, on state: StreamState) {
    guard !state.isGone, state.ending == nil else { return }
    if state.sentHeaders, status == .ok { return sendTrailers(Self.trailersOfOK, on: state) }
    var block = state.sentHeaders ? HeaderBlock() : Self.responseHead  // or trailers-only
    block.append("grpc-status", String(status.code.rawValue))
    if !status.message.isEmpty {
      let message = PercentEncoding.encode(status.message, atMost: Self.maxStatusMessage)
      block.append("grpc-message", message)
    }
    status.trailers.append(to: &block)
    if state.sentHeaders {
      sendTrailers(block, on: state)
    } else {
      state.sentHeaders = true
      state.ending = .halfClose
      respond(on: state, block, hasBody: false)
    }
  }

  /// Behind what is queued; where that is nothing, at once: HEADERS wait for no window (RFC 9113 §5.2.1), and
  /// nghttp2 asks a stream without one for nothing.
  private func sendTrailers(_ block: HeaderBlock, on state: StreamState) {
    guard state.queuedBytes == 0 else {
      state.ending = .trailers(block)
      return wake(state)
    }
    state.ending = .over
    session.sendTrailers(block, on: state.id)
    scheduleFlush()
  }

  func credit(_ bytes: Int, on state: StreamState) {
    guard !state.isGone else { return }
    state.take(bytes)
    returnCredit(of: state)
  }

  private func returnCredit(of state: StreamState) {
    if state.wantsParts { table.promise(state) }
    let due = state.creditDue()
    guard due > 0 else { return }
    session.credit(due, on: state.id)
    scheduleFlush()
  }

  func raiseWindow(of state: StreamState, to bytes: Int) {
    guard !state.isGone, state.window < bytes else { return }
    state.window = bytes
    session.raiseWindow(of: state.id, to: Int32(clamping: bytes))
    scheduleFlush()
  }

  func notifyWhenDrained(on state: StreamState) {
    guard !state.isGone else { return }
    state.wantsDrained = true
    if state.queuedBytes <= StreamState.lowMark {
      state.wantsDrained = false
      table.events.append(.drained(state))
      scheduleFlush()
    }
  }

  // MARK: The same, by number

  func send(_ message: [UInt8], on id: Int32) {
    if let state = table.state(id) { send(message, on: state) }
  }

  func finish(_ status: RPCStatus, on id: Int32) {
    if let state = table.state(id) { finish(status, on: state) }
  }

  func credit(_ bytes: Int, on id: Int32) {
    if let state = table.state(id) { credit(bytes, on: state) }
  }

  func raiseWindow(of id: Int32, to bytes: Int) {
    if let state = table.state(id) { raiseWindow(of: state, to: bytes) }
  }

  func queuedBytes(on id: Int32) -> Int { table.state(id)?.queuedBytes ?? 0 }

  func notifyWhenDrained(on id: Int32) {
    if let state = table.state(id) { notifyWhenDrained(on: state) }
  }

  func halfClose(_ id: Int32) {
    guard let state = table.state(id), state.ending == nil else { return }
    state.ending = .halfClose
    wake(state)
  }

  func cancel(_ id: Int32) {
    guard let state = table.state(id) else { return }
    end(state, RPCStatus(.cancelled, "the call was cancelled here"))
    session.reset(id, .cancel)
    scheduleFlush()
  }

  func sendWhenRoom(_ message: [UInt8], on id: Int32) async throws {
    try Task.checkCancellation()
    guard let state = table.state(id), state.ending == nil, state.handler != nil else {
      throw closeReason ?? RPCStatus(.cancelled, "the call has ended")
    }
    send(message, on: state)
    guard state.queuedBytes > 2 * StreamState.lowMark else { return }
    // Resumed when the queue is low, or by the call's end.
    try await withCheckedThrowingContinuation { state.roomWaiters.append($0) }
  }

  /// In bytes, encoded. It may repeat what the peer sent, and libraries take 8 or 16 KiB of fields by default.
  private static let maxStatusMessage = 4_096

  private static let responseHead: HeaderBlock = {
    var block = HeaderBlock()
    block.append(":status", "200")
    block.append("content-type", "application/grpc")
    return block
  }()

  /// Made once: most calls end with it.
  private static let trailersOfOK: HeaderBlock = {
    var block = HeaderBlock()
    block.append("grpc-status", "0")
    return block
  }()

  private func respond(on state: StreamState, _ block: HeaderBlock, hasBody: Bool) {
    // Fails only for a stream that is gone, whose `closed` is on its way.
    try? session.respond(on: state.id, block, hasBody: hasBody)
    scheduleFlush()
  }

  private func wake(_ state: StreamState) {
    if state.isWaiting {
      state.isWaiting = false
      session.resume(state.id)
    }
    scheduleFlush()
  }

  // MARK: To the handlers

  /// Hands over what the session recorded. Handlers may cause more, which comes in the same order.
  ///
  /// What the turn has no time for waits for the next: one peer's work is not the others' delay.
  func dispatch() {
    while hasEvents {
      guard turn.hasTime() || !role.isServer else { return dispatchLater() }
      handle(nextEvent())
    }
    returnBacklog()
  }

  var hasEvents: Bool { nextInBacklog < backlog.count || !table.events.isEmpty }

  private func nextEvent() -> StreamTable.Event {
    if nextInBacklog == backlog.count {
      returnBacklog()
      backlog = table.takeEvents()
    }
    nextInBacklog += 1
    return backlog[nextInBacklog - 1]
  }

  /// An idle connection keeps nothing of what came.
  private func returnBacklog() {
    guard !backlog.isEmpty else { return }
    table.returnEvents(&backlog)
    backlog = []
    nextInBacklog = 0
  }

  private func dispatchLater() {
    guard !isDispatchDue else { return }
    isDispatchDue = true
    updateInterest()
    let pause: Duration = hasManyTasks && turn.isFullOfTasks ? .milliseconds(10) : .zero
    loop.schedule(after: pause) { [weak self] in
      self?.assumeIsolated { $0.dispatchNow() }
    }
  }

  private func dispatchNow() {
    isDispatchDue = false
    if phase == .open {
      turn = ConnectionTurn()
      dispatch()
      scheduleFlush()
    }
    updateInterest()
  }

  /// The connection is over: of what was not handed over, handlers hear that their calls are.
  func dropEvents() {
    if !role.isServer { return dispatch() }
    while hasEvents {
      switch nextEvent() {
      case .closed(let state, let code): closed(state, code)
      case .broken(let code, let reason): wasBroken(code, reason)
      default: break
      }
    }
  }

  private func handle(_ event: StreamTable.Event) {
    switch event {
    case .request(let state):
      if !state.isGone { role.server?.open(state, on: self) }
    case .metadata(let state, let metadata):
      if case .client(let handler, let call) = state.handler {
        handler.receivedMetadata(metadata, on: call)
      }
    case .message(let state, let message, let credit): deliver(message, credit, to: state)
    case .compressed(let state): announceCompressed(to: state)
    case .ended(let state): peerEnded(state)
    case .failed(let state, let status): violated(state, status)
    case .finishedFirst(let state):
      // RFC 9113 §8.1: the client need not send the rest.
      session.reset(state.id, .noError)
      scheduleFlush()
    case .closed(let state, let code): closed(state, code)
    case .drained(let state): drained(state)
    case .partial(let state): returnCredit(of: state)
    case .goAway(let last, let code, let text): receivedGoAway(last, code, text)
    case .goAwaySent: sentGoAway()
    case .broken(let code, let reason): wasBroken(code, reason)
    case .pong: receivedPong()
    case .settings: receivedSettings()
    }
  }

  private func receivedSettings() {
    guard let timer = handshakeTimer else { return }
    handshakeTimer = nil
    loop.cancel(timer)
    role.server?.handshakeEnded(self)
  }

  private func deliver(_ message: [UInt8], _ credit: Int, to state: StreamState) {
    switch state.handler {
    // A call that has its status does nothing more. A client that only writes still needs the credit.
    case .server where state.ending != nil: self.credit(credit, on: state)
    case .server(let handler, let call): handler.received(message, credit: credit, on: call)
    case .client(let handler, let call): handler.received(message, credit: credit, on: call)
    case nil: break  // its stream is closing; the connection's credit has gone back
    }
  }

  private func peerEnded(_ state: StreamState) {
    switch state.handler {
    case .server where state.ending != nil: break
    case .server(let handler, let call): handler.halfClosed(call)
    case .client:
      end(state, finalStatus(of: state))
      // The rest of our messages has no reader.
      if state.ending == nil || state.queuedBytes > 0 {
        session.reset(state.id, .cancel)
        scheduleFlush()
      }
    case nil: break
    }
  }

  private func drained(_ state: StreamState) {
    let waiters = state.roomWaiters
    state.roomWaiters = []
    for waiter in waiters { waiter.resume() }
    switch state.handler {
    case .server(let handler, let call): handler.drained(call)
    case .client(let handler, let call): handler.drained(call)
    case nil: break
    }
  }

  /// What came cannot be taken: a server's handler hears that before the end.
  private func violated(_ state: StreamState, _ status: RPCStatus) {
    if case .server(let handler, let call) = state.handler { handler.violated(status, on: call) }
    if role.isServer, !state.fields.isPost, state.ending == nil {
      answer(HTTPAnswer(refusingHeadOf: state.fields), on: state)
    }
    fail(state, status)
  }

  /// The peer broke a rule on this stream: it is told, and the handler hears.
  func fail(_ state: StreamState, _ status: RPCStatus) {
    if role.isServer {
      finish(status, on: state)
      end(state, status)
    } else {
      end(state, status)
      session.reset(state.id, .cancel)
      scheduleFlush()
    }
  }

  private func closed(_ state: StreamState, _ code: HTTP2Code) {
    guard state.handler != nil else { return end(state, .ok) }
    if role.isServer {
      let finished = state.ending != nil && code == .noError
      end(state, finished ? .ok : RPCStatus(.cancelled, "the client cancelled the call"))
    } else {
      let isAnswered = state.fields.blocks > 0
      end(state, farewell(to: state, code) ?? Self.status(for: code, isAnswered: isAnswered))
    }
  }

  /// Tells the handler that its call is over; the first reason counts.
  func end(_ state: StreamState, _ status: RPCStatus) {
    if let deadline = state.deadline {
      loop.cancel(deadline.timer)
      state.deadline = nil
    }
    let waiters = state.roomWaiters
    state.roomWaiters = []
    for waiter in waiters {
      waiter.resume(throwing: status.isOK ? RPCStatus(.cancelled, "the call has ended") : status)
    }
    table.drop(state)
    let handler = state.handler
    state.handler = nil
    switch handler {
    case .server(let handler, let call): handler.ended(status, call)
    case .client(let handler, let call): handler.ended(status, call)
    case nil: break
    }
  }

  /// gRPC over HTTP/2, "Errors": what a reset means to a client.
  private static func status(for code: HTTP2Code, isAnswered: Bool) -> RPCStatus {
    switch code {
    case .refusedStream:
      RPCStatus(
        .unavailable,
        "the server refused the stream; try again",
        isUnprocessed: !isAnswered
      )
    case .cancel: RPCStatus(.cancelled, "the server cancelled the call")
    case .enhanceYourCalm: RPCStatus(.resourceExhausted, "the server asks to slow down")
    case .inadequateSecurity: RPCStatus(.permissionDenied, "the server asks for better security")
    default: RPCStatus(.internalError, "the stream was reset with code \(code.rawValue)")
    }
  }
}

/// A call's time limit.
struct DeadlineTimer {
  let instant: ContinuousClock.Instant
  let timer: LoopTimer
}
