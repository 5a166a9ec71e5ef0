internal import EventLoop
internal import HTTP2

/// A header block that has begun, and how long it may take.
struct WatchedBlock {
  let number: Int
  let timer: LoopTimer
}

/// What a peer may ask of us, and what ends its connection when it asks more; see `PeerLimit`.
extension Connection {
  /// Looks at what the peer had us do, after each read.
  ///
  /// - Returns: false when it was too much: the connection ends, and the peer is told why.
  func isWithinLimits() -> Bool {
    var usage = session.takeUsage()
    if role.isServer { strays.count(in: &usage, opened: table.opened) }
    watch(usage.headerBlock)
    if let (limit, text) = budget.spend(usage, at: turn.began) {
      cutOff(limit, text)
    } else if role.isServer, session.queuedFrames > limits.maxQueuedFrames {
      cutOff(.queuedFrames, "more than \(limits.maxQueuedFrames) answers that are not read")
    } else if let limit = unreadLimit {
      cutOffUnread(limit)
    } else {
      watchMessages()
      return true
    }
    return false
  }

  /// Sends what the turn brought about, unless that is too much.
  func endTurn() {
    if !isDispatchDue { turn = ConnectionTurn() }
    if phase == .open, let limit = unreadLimit { return cutOffUnread(limit) }
    flush()
  }

  /// Which limit its answers have passed, those that are not read. What waits at a client is its own calls'.
  private var unreadLimit: PeerLimit? {
    guard role.isServer else { return nil }
    if table.queuedBytes > limits.maxQueuedBytes { return .queuedBytes }
    // Of a peer's connections those go on that hold less than others.
    guard let share = table.share, table.queuedBytes >= share.held.queued / share.connections
    else { return nil }
    return share.shares.queuedLimit(for: share)
  }

  private func cutOffUnread(_ limit: PeerLimit) {
    let bytes = limit == .queuedBytes ? table.queuedBytes : table.share?.held.queued ?? 0
    cutOff(limit, "\(bytes) bytes of answers that are not read")
  }

  /// What it holds counts with its principal's other connections, or with those from its address.
  func joinShare(of principal: String?) {
    guard let core = role.server else { return }
    table.join(core.shares.join(principal ?? network))
  }

  /// Whether its principal may have it too; otherwise it is ended.
  func isTaken(of principal: String) -> Bool {
    guard let core = role.server, !core.take(self, of: principal) else { return true }
    let limit = limits.listener.maxConnectionsPerPrincipal
    cutOff(.connectionsOfPrincipal, "\(principal) has \(limit) connections; close some")
    return false
  }

  /// Ends the connection for a limit; `text` completes "too much of this: …".
  func cutOff(_ limit: PeerLimit, _ text: String) {
    statistics?.cutOff(peer.address, limit, text)
    shutDown(RPCStatus(.resourceExhausted, text), code: .enhanceYourCalm)
  }

  /// The peer's bytes could not be read on.
  func broke(_ error: HTTP2Error) {
    if error.isFlood { return cutOff(.flood, "\(error)") }
    closeReason = RPCStatus(.unavailable, "\(peer.address) broke HTTP/2: \(error)")
    statistics?.protocolBroken(peer.address, "\(error)")
    session.goAway(.protocolError, "\(error)")
    flushReason()
    drain()
  }

  /// The session has told the peer that it broke the protocol; with that sent, it is over.
  func wasBroken(_ code: HTTP2Code, _ reason: String) {
    let text = reason.isEmpty ? "code \(code.rawValue)" : reason
    closeReason = closeReason ?? RPCStatus(.unavailable, "\(peer.address) broke HTTP/2: \(text)")
    statistics?.protocolBroken(peer.address, text)
  }

  /// Why a new call is refused, if it is: those there are must come on first.
  func overload() -> RPCStatus? {
    if isDismissed { return closeReason }
    if table.unstarted > limits.maxUnstartedStreams {
      statistics?.reached(.unstarted)
      let text =
        "\(limits.maxUnstartedStreams) calls of this connection wait for their first message"
      return RPCStatus(.resourceExhausted, text)
    }
    if table.queuedBytes > limits.maxQueuedBytes / 4 {
      statistics?.reached(.queuedBytes)
      return RPCStatus(.resourceExhausted, "read the answers to the calls before this one first")
    }
    if let limit = table.keptLimit {
      statistics?.reached(limit)
      return tooMuchUnderWay
    }
    if let share = table.share, let limit = share.shares.queuedLimit(for: share, part: 4) {
      statistics?.reached(limit)
      let text = "\(share.peer) has too many answers that are not read; read those first"
      return RPCStatus(.resourceExhausted, text)
    }
    return nil
  }

  /// See `ServerCall.keepRequest`.
  func keepRequest(ofBytes bytes: Int, of state: StreamState) -> RPCStatus? {
    let limit = table.keepRequest(ofBytes: bytes, of: state)
    watchMessages()
    guard let limit else { return nil }
    statistics?.reached(limit)
    return tooMuchUnderWay
  }

  func expectEnd(of state: StreamState) {
    table.expectEnd(of: state)
    watchMessages()
  }

  private var tooMuchUnderWay: RPCStatus {
    let peer = table.share?.peer ?? peer.address
    let text = "\(peer) has too many bytes of requests under way; wait for some to end"
    return RPCStatus(.resourceExhausted, text)
  }

  // MARK: Tasks

  /// A handler begins a task of its own, which ends by `endTask`.
  func beganTask() {
    runningTasks += 1
    turn.beganTask(isOneOfMany: hasManyTasks)
  }

  func endTask(_ status: RPCStatus, on id: Int32) {
    runningTasks -= 1
    finish(status, on: id)
  }

  /// More tasks begin a few at a time: those that run are served by few threads, in the order in
  /// which they came, and other peers' come behind them. Some may only wait, so more do begin.
  var hasManyTasks: Bool { runningTasks > Self.manyTasks }

  private static let manyTasks = 64

  // MARK: Time

  private func watch(_ block: PeerUsage.Block?) {
    guard block?.number != watchedBlock?.number else { return }
    if let watchedBlock { loop.cancel(watchedBlock.timer) }
    watchedBlock = nil
    guard let block else { return }
    let timer = loop.schedule(after: limits.headersTimeout) { [weak self] in
      self?.assumeIsolated { $0.headersTimedOut() }
    }
    watchedBlock = WatchedBlock(number: block.number, timer: timer)
  }

  private func headersTimedOut() {
    watchedBlock = nil
    guard phase == .open else { return }
    cutOff(.headersTimeout, "a header block that did not end within \(limits.headersTimeout)")
  }

  /// Looks four times in `firstMessageTimeout` for streams that wait for their first message, for the rest
  /// of one, or for the end behind their one request.
  private func watchMessages() {
    guard sweepTimer == nil, table.unstarted + table.partial + table.awaitingEnd > 0
    else { return }
    sweepTimer = loop.schedule(after: limits.firstMessageTimeout / Self.sweeps) { [weak self] in
      self?.assumeIsolated { $0.sweep() }
    }
  }

  private func sweep() {
    sweepTimer = nil
    guard phase == .open else { return }
    for state in table.all where state.isLate {
      state.sweeps += 1
      if state.sweeps > Self.sweeps { giveUpMessage(of: state) }
    }
    watchMessages()
  }

  private func giveUpMessage(of state: StreamState) {
    let time = limits.firstMessageTimeout
    statistics?.reached(state.isUnstarted ? .firstMessage : .partialMessage)
    let text =
      state.isUnstarted
      ? "no message came within"
      : state.awaitsEnd
        ? "the request's end did not come within" : "a message did not come whole within"
    table.started(state)
    table.endCame(state)
    fail(state, RPCStatus(.deadlineExceeded, "\(text) \(time)"))
  }

  private static let sweeps = 4

  /// Whether there has been no call for too long; asked once in a PING's interval.
  func isIdleTooLong() -> Bool {
    guard role.isServer, limits.idleTimeout > .zero else { return false }
    guard table.count == 0 else {
      idle = nil
      return false
    }
    let now = ContinuousClock.now
    guard let idle, idle.opened == table.opened else {
      idle = (now, table.opened)
      return false
    }
    return idle.since.duration(to: now) >= limits.idleTimeout
  }

  func retireIdle() {
    statistics?.reached(.idle)
    let text = "no call for \(limits.idleTimeout); connect again when there is one"
    retire(RPCStatus(.unavailable, text), within: limits.drainTimeout)
  }
}

/// What one connection may do in a turn of the loop before the others have theirs.
struct ConnectionTurn {
  private(set) var began = ContinuousClock.now
  private var events = 0
  private var tasks = 0
  private var isOver = false

  /// Answers take a few microseconds, some a millisecond: both are then over soon.
  private static let time = Duration.milliseconds(2)
  /// Their work comes after the turn's events, so its time is not seen.
  private static let maxTasks = 8
  private static let eventsPerLook = 16

  /// A handler began a task of its own.
  mutating func beganTask(isOneOfMany: Bool) { tasks += isOneOfMany ? 2 : 1 }

  var isFullOfTasks: Bool { tasks >= Self.maxTasks }

  /// Asked before each event.
  mutating func hasTime() -> Bool {
    events += 1
    if isFullOfTasks { isOver = true }
    if events.isMultiple(of: Self.eventsPerLook) { look() }
    return !isOver
  }

  /// Whether there is time for another read.
  mutating func hasTimeToRead() -> Bool {
    look()
    return !isOver
  }

  private mutating func look() { if began.duration(to: .now) > Self.time { isOver = true } }
}
