package import EventLoop
package import TLS

/// A listener and its connections, all on one loop.
package actor Server {
  package nonisolated let loop: EventLoop
  package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor }
  /// Where it listens; the port is the real one.
  package nonisolated let address: SocketAddress
  private let socket: Socket
  private var tls: TLSContext?
  private let core: ServerCore
  private let limits: ConnectionLimits
  private var registration: Registration?

  /// Opens the listening socket; `start` begins to accept.
  ///
  /// Without `tls` it speaks HTTP/2 in plaintext. `identification` says who a certificate is; without
  /// it no call has an identity. `authorization` is asked for each call. `observe` hears of what goes
  /// wrong, on the loop.
  ///
  /// - Throws: when the address cannot be had.
  package init(
    on loop: EventLoop,
    at address: SocketAddress,
    tls: TLSContext?,
    service: Service,
    identification: Identification? = nil,
    authorization: Authorization? = nil,
    limits: ConnectionLimits = ConnectionLimits(),
    observe: @escaping @Sendable (ServerEvent) -> Void = { _ in }
  ) throws(SystemError) {
    self.loop = loop
    socket = try Socket.listening(on: address)
    self.address = socket.localAddress ?? address
    self.tls = tls
    self.limits = limits
    core = ServerCore(
      service: service,
      identification: identification,
      authorization: authorization,
      limits: limits.listener,
      statistics: ServerStatistics(observe)
    )
  }

  package func start() throws(SystemError) {
    guard registration == nil else { return }
    registration = try loop.register(socket.number, for: .readable, handler: self)
  }

  /// Connections accepted from now on use `tls`; those there are keep theirs.
  package func use(_ tls: TLSContext) { self.tls = tls }

  /// Takes no more connections; those there are go on.
  package func stopAccepting() {
    guard let registration else { return }
    loop.deregister(registration, socket.number)
    self.registration = nil
    socket.shutDown()
  }

  /// Ends all connections; each call ends with `reason`, and so each peer is told.
  package func close(_ reason: RPCStatus) {
    stopAccepting()
    for connection in core.all { connection.onLoop { $0.dismiss(reason) } }
  }

  /// Ends the connections whose peer matches, for example one whose certificate was revoked.
  package func endConnections(_ reason: RPCStatus, where matches: @Sendable (Peer) -> Bool) {
    for connection in core.all {
      connection.onLoop { if matches($0.peer) { $0.shutDown(reason) } }
    }
  }

  /// Ends the matching connections from one moment to the next: nobody is told why.
  package func cutConnections(where matches: @Sendable (Peer) -> Bool) {
    for connection in core.all {
      connection.onLoop {
        if matches($0.peer) { $0.close(RPCStatus(.unavailable, "the connection was cut")) }
      }
    }
  }

  package var connectionCount: Int { connections.count }

  var connections: [Connection] { core.all }

  var shares: PeerShares { core.shares }

  package var counters: ServerCounters { core.statistics.counters }

  /// Streams that are open now, on all connections.
  package var streamCount: Int {
    core.all.reduce(0) { sum, connection in sum + connection.onLoop { $0.table.count } }
  }

  /// Accepted per turn, so that a flood of connections leaves room for those there are.
  private static let acceptsPerTurn = 64

  private func accept() {
    for _ in 0..<Self.acceptsPerTurn {
      do {
        guard let accepted = try socket.accept() else { return }
        open(accepted)
      } catch {
        return pauseAccepting()
      }
    }
  }

  private func open(_ accepted: consuming Socket) {
    accepted.setNoDelay()
    let address = accepted.peerAddress
    let network = address?.network ?? ""
    if let limit = core.refuses(network) { return core.statistics.reached(limit) }
    do {
      let connection = try Connection(
        .server(core),
        socket: accepted,
        transport: .server(tls),
        peerAddress: address?.description ?? "unknown",
        network: network,
        limits: limits,
        on: loop
      )
      core.statistics.counters.connectionsAccepted += 1
      core.add(connection, from: network)?.onLoop { $0.giveUpHandshake() }
      core.takeOldest()?.onLoop { $0.giveWay() }
      connection.onLoop { $0.start() }
    } catch {
      // Out of memory: this peer is dropped, the others go on.
    }
  }

  /// Out of descriptors: those there are get a moment to close.
  private func pauseAccepting() {
    guard let registration else { return }
    loop.update(registration, socket.number, for: [])
    loop.schedule(after: .milliseconds(100)) { [weak self] in
      self?.assumeIsolated { $0.resumeAccepting() }
    }
  }

  private func resumeAccepting() {
    guard let registration else { return }
    loop.update(registration, socket.number, for: .readable)
  }
}

extension Server: EventLoopHandler {
  package nonisolated func ready(_ readiness: Readiness) { assumeIsolated { $0.accept() } }

  package nonisolated func turnEnded() {}
}
