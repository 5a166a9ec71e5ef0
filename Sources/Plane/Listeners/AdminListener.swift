internal import EventLoop
internal import HTTP1

/// `--listen-admin`: plain HTTP/1.1 for probes, one request a connection.
actor AdminListener {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor }
  /// Where it listens; the port is the real one.
  nonisolated let address: SocketAddress
  private let socket: Socket
  private let answer: @Sendable (HTTP1Request) -> HTTP1Response
  private var registration: Registration?
  private var connections: [ObjectIdentifier: Open] = [:]
  private var opened = 0

  private struct Open {
    let connection: AdminConnection
    /// Later ones have higher numbers.
    let number: Int
  }

  /// So many at once; for one more the oldest is given up. A probe is answered as it comes: whoever
  /// holds connections open loses its own.
  static let maxConnections = 64
  /// Accepted in one turn: those there are have theirs before so many others come that they are the oldest.
  private static let acceptsPerTurn = 8

  /// - Throws: when the address cannot be had.
  init(
    on loop: EventLoop,
    at address: SocketAddress,
    _ answer: @escaping @Sendable (HTTP1Request) -> HTTP1Response
  ) throws(SystemError) {
    self.loop = loop
    socket = try Socket.listening(on: address)
    self.address = socket.localAddress ?? address
    self.answer = answer
  }

  func start() throws(SystemError) {
    guard registration == nil else { return }
    registration = try loop.register(socket.number, for: .readable, handler: self)
  }

  func close() {
    guard let registration else { return }
    loop.deregister(registration, socket.number)
    self.registration = nil
    socket.shutDown()
    for open in connections.values { open.connection.close() }
  }

  private func accept() {
    // What is not accepted now is still there at the next turn.
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
    if connections.count >= Self.maxConnections {
      connections.values.min { $0.number < $1.number }?.connection.close()
    }
    let connection = AdminConnection(accepted, on: loop, answer)
    opened += 1
    connections[ObjectIdentifier(connection)] = Open(connection: connection, number: opened)
    connection.start { [weak self] connection in
      self?.assumeIsolated { $0.forget(connection) }
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

  private func forget(_ connection: AdminConnection) {
    connections[ObjectIdentifier(connection)] = nil
  }
}

extension AdminListener: EventLoopHandler {
  nonisolated func ready(_ readiness: Readiness) { assumeIsolated { $0.accept() } }

  nonisolated func turnEnded() {}
}
