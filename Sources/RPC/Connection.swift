package import EventLoop
internal import HTTP2

/// One HTTP/2 connection over TLS (or plaintext, for tests), either half, on one loop for life.
///
/// Readiness comes in by `assumeIsolated`. What arrives in a turn is recorded by the
/// `StreamTable`, then handed to the handlers; what they send leaves at the turn's end, so that
/// many small messages share a TLS record and a system call.
///
///     connecting ─▶ handshaking ─▶ open ─▶ draining ─▶ closed
///         └──────────────┴──────────┴────────────────────▲
package actor Connection {
  package nonisolated let loop: EventLoop
  package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor }

  enum Phase { case connecting, handshaking, open, draining, closed }

  let role: Role
  let limits: ConnectionLimits
  let table: StreamTable
  /// The listener's, at a server.
  let statistics: ServerStatistics?
  var transport: Transport
  var session: Session
  var phase: Phase
  var peer: Peer
  /// What stands for its peer where no principal is known; see `ListenerLimits`.
  let network: String
  /// An orderly end has begun; see `retire`.
  var retirement: Retirement?
  /// The peer takes no new streams.
  var isGoingAway = false
  /// What the peer's GOAWAY said, for people.
  var farewell: String?
  /// Writing has failed, and what the peer said before is read.
  var isReadingLast = false
  /// Its calls have had their last word; see `dismiss`.
  var isDismissed = false
  /// Why the connection ended, for calls that end with it.
  var closeReason: RPCStatus?

  // The socket.
  let socket: Socket
  var registration: Registration?
  var interest: Readiness = .readable
  /// The socket takes no more for now.
  var isBlocked = false
  var isFlushScheduled = false
  private var isDrainingLimited = false
  private var hasFinishedWriting = false

  // Timers.
  var handshakeTimer: LoopTimer?
  var pingTimer: LoopTimer?
  var pongIsDue = false
  /// Bytes came since the last PING's time began.
  var hasHeard = false
  /// When it was first seen without a call, and how many there had been.
  var idle: (since: ContinuousClock.Instant, opened: Int)?
  var expiryTimer: LoopTimer?

  // Limits.
  var budget: PeerBudget
  var strays = StrayBlocks()
  var turn = ConnectionTurn()
  var watchedBlock: WatchedBlock?
  var sweepTimer: LoopTimer?
  /// Recorded, and not handed over yet; `table.events` comes after it.
  var backlog: [StreamTable.Event] = []
  var nextInBacklog = 0
  var isDispatchDue = false
  /// Handlers' tasks that have not ended.
  var runningTasks = 0

  /// A client's calls from before the connection is open.
  var openWaiters: [CheckedContinuation<Void, any Error>] = []
  var onClose: [@Sendable (RPCStatus) -> Void] = []

  enum Role {
    case server(ServerCore)
    case client(ClientCore)

    var isServer: Bool { server != nil }

    var server: ServerCore? { if case .server(let core) = self { core } else { nil } }
  }

  init(
    _ role: Role,
    socket: consuming Socket,
    transport: consuming Transport,
    peerAddress: String,
    network: String = "",
    limits: ConnectionLimits,
    on loop: EventLoop
  ) throws(HTTP2Error) {
    self.role = role
    self.loop = loop
    self.limits = limits
    budget = PeerBudget(limits)
    statistics = role.server?.statistics
    table = StreamTable(isServer: role.isServer, limits: limits, statistics: statistics)
    var settings = Session.Settings()
    settings.maxConcurrentStreams = limits.maxConcurrentStreams
    settings.initialStreamWindow = UInt32(limits.streamWindow)
    settings.connectionWindow = limits.connectionWindow
    settings.maxHeaderListBytes = UInt32(limits.maxHeaderBytes)
    settings.resetBurst = limits.resetBurst
    settings.resetRate = limits.resetRate
    session =
      role.isServer
      ? try Session(server: settings, delegate: table)
      : try Session(client: settings, delegate: table)
    self.transport = transport
    self.socket = socket
    self.network = network
    phase = role.isServer ? .handshaking : .connecting
    peer = Peer(address: peerAddress)
  }

  /// Runs `body` on the connection, from its loop.
  nonisolated func onLoop<Result: Sendable>(
    _ body: (isolated Connection) -> Result
  ) -> Result { assumeIsolated(body) }

  /// The same for a `body` that captures nothing, and is given `value`: see `EventLoop.run`.
  @inline(__always)
  nonisolated func onLoop<Value, Result>(
    _ value: Value,
    _ body: @escaping (isolated Connection, Value) -> Result
  ) -> Result { loop.run(on: self, with: value, body) }

  /// Begins: watches the socket and sets the time limit for the handshake.
  func start() {
    do {
      interest = phase == .connecting ? .writable : .readable
      registration = try loop.register(socket.number, for: interest, handler: self)
    } catch {
      close(RPCStatus(.unavailable, error.description))
      return
    }
    handshakeTimer = loop.schedule(after: limits.handshakeTimeout) { [weak self] in
      self?.assumeIsolated { $0.handshakeTimedOut() }
    }
    if role.isServer, transport.isEstablished { established() }  // plaintext
  }

  private func handshakeTimedOut() {
    handshakeTimer = nil
    let reason = "\(peer.address) did not finish the handshake in time"
    handshakeFailed(.timedOut, reason)
    close(RPCStatus(.unavailable, reason))
  }

  /// A server has too many handshakes under way, and this one is the oldest.
  func giveUpHandshake() {
    statistics?.cutOff(peer.address, .handshakes, "its handshake gave way to newer ones")
    close(RPCStatus(.unavailable, "too many handshakes are under way"))
  }

  /// A server has too many connections, and this one is the oldest.
  func giveWay() {
    statistics?.reached(.connections)
    dismiss(RPCStatus(.unavailable, "this connection gave way to a newer one; connect again"))
  }

  /// Calls `action` on the loop when the connection has ended, at once if it has.
  package func whenClosed(_ action: @escaping @Sendable (RPCStatus) -> Void) {
    guard phase == .closed else { return onClose.append(action) }
    action(closeReason ?? Self.closed)
  }

  /// Ends the connection in an orderly way: the peer may read `reason` for a second.
  package func shutDown(_ reason: RPCStatus, code: HTTP2Reason = .done) {
    guard phase == .open || phase == .handshaking else { return close(reason) }
    closeReason = reason
    session.goAway(code.code, reason.message)
    flushReason()
    drain()
  }

  /// `shutDown`; a server's calls end with `reason`: libraries tell their users a call's status, and
  /// keep GOAWAY's text to themselves. A peer that reads slowly has as long for it.
  func dismiss(_ reason: RPCStatus) {
    guard phase == .open, role.isServer else { return shutDown(reason) }
    isDismissed = true
    for state in table.all { finish(reason, on: state) }
    closeReason = reason
    session.goAway(.noError, reason.message)
    limitDraining()
    flush()  // drains, unless there is more than the peer takes now
    guard phase == .open else { return }
    for state in table.all { end(state, reason) }
  }

  /// Why a connection is shut down, as GOAWAY says it.
  package enum HTTP2Reason: Sendable {
    case done, enhanceYourCalm, inadequateSecurity

    var code: HTTP2Code {
      switch self {
      case .done: .noError
      case .enhanceYourCalm: .enhanceYourCalm
      case .inadequateSecurity: .inadequateSecurity
      }
    }
  }

  /// Sends what is pending, says that nothing more comes, and reads until the peer has had time
  /// to see it. Closing at once drops what it has not read, alerts included.
  func drain() {
    guard phase != .closed, phase != .draining else { return }
    phase = .draining
    if let retirement { loop.cancel(retirement.timer) }
    transport.close()
    limitDraining()
    writeOutput()
    endAllCalls()
  }

  /// All of it is with the kernel.
  func finishWriting() {
    guard phase == .draining, !hasFinishedWriting else { return }
    hasFinishedWriting = true
    socket.closeWriting()
  }

  /// From now on the peer has so long to read what there is for it.
  private func limitDraining() {
    guard !isDrainingLimited else { return }
    isDrainingLimited = true
    loop.schedule(after: limits.drainTimeout) { [weak self] in
      self?.assumeIsolated { $0.close(nil) }
    }
  }

  /// Ends the connection now.
  func close(_ reason: RPCStatus?) {
    guard phase != .closed else { return }
    phase = .closed
    if closeReason == nil { closeReason = reason }
    if let registration { loop.deregister(registration, socket.number) }
    registration = nil
    socket.shutDown()
    let timers = [
      handshakeTimer, pingTimer, expiryTimer, retirement?.timer, sweepTimer, watchedBlock?.timer,
    ]
    for timer in timers.compactMap({ $0 }) { loop.cancel(timer) }
    endAllCalls()
    table.leave()
    let status = closeReason ?? Self.closed
    for waiter in openWaiters { waiter.resume(throwing: status) }
    openWaiters = []
    for action in onClose { action(status) }
    onClose = []
    if case .server(let core) = role { core.remove(self) }
  }

  private static let closed = RPCStatus(.unavailable, "the connection was closed")

  private func endAllCalls() {
    let status =
      closeReason ?? RPCStatus(.unavailable, "the connection to \(peer.address) was lost")
    dropEvents()
    for state in table.all { end(state, status) }
  }
}

extension Connection: EventLoopHandler {
  package nonisolated func ready(_ readiness: Readiness) {
    assumeIsolated { $0.becameReady(readiness) }
  }

  package nonisolated func turnEnded() {
    assumeIsolated { connection in
      connection.isFlushScheduled = false
      connection.endTurn()
    }
  }
}
