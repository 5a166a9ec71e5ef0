internal import EventLoop
internal import HTTP2
internal import Synchronization

/// What all connections of one listener share: its methods, who may call them, and the set of
/// connections itself.
final class ServerCore: Sendable {
  let service: Service
  let identification: Identification?
  let authorization: Authorization?
  let statistics: ServerStatistics
  let shares: PeerShares
  private let connections: Mutex<Connections>

  private struct Connections {
    var all: [ObjectIdentifier: (connection: Connection, host: String)] = [:]
    var gate: ConnectionGate
  }

  init(
    service: Service,
    identification: Identification?,
    authorization: Authorization?,
    limits: ListenerLimits,
    statistics: ServerStatistics
  ) {
    self.service = service
    self.statistics = statistics
    self.identification = identification
    self.authorization = authorization
    shares = PeerShares(limits)
    connections = Mutex(Connections(gate: ConnectionGate(limits)))
  }

  /// Whether another connection from there is one too many.
  func refuses(_ host: String) -> PeerLimit? { connections.withLock { $0.gate.refuses(host) } }

  /// - Returns: the connection to give up for it.
  func add(_ connection: Connection, from host: String) -> Connection? {
    connections.withLock { connections in
      let id = ObjectIdentifier(connection)
      connections.all[id] = (connection, host)
      return connections.gate.add(id, from: host).flatMap { connections.all[$0]?.connection }
    }
  }

  /// - Returns: the connection to give up because there are too many.
  func takeOldest() -> Connection? {
    connections.withLock { connections in
      connections.gate.takeOldest().flatMap { connections.all[$0]?.connection }
    }
  }

  func handshakeEnded(_ connection: Connection) {
    connections.withLock { $0.gate.handshakeEnded(ObjectIdentifier(connection)) }
  }

  /// Whether its principal may have one more.
  func take(_ connection: Connection, of principal: String) -> Bool {
    connections.withLock { $0.gate.take(ObjectIdentifier(connection), of: principal) }
  }

  func remove(_ connection: Connection) {
    connections.withLock { connections in
      let id = ObjectIdentifier(connection)
      guard let (_, host) = connections.all.removeValue(forKey: id) else { return }
      connections.gate.remove(id, from: host)
    }
  }

  var all: [Connection] { connections.withLock { $0.all.values.map { $0.connection } } }

  /// A request's headers are whole: finds who answers it.
  func open(_ state: StreamState, on connection: isolated Connection) {
    guard state.ending == nil else { return }  // refused already
    guard isGRPC(state, on: connection) else { return }
    do {
      try start(state, on: connection)
    } catch {
      let status = error as? RPCStatus ?? RPCStatus(.internalError)
      statistics.refused(connection.peer, state.fields.path, status)
      connection.finish(status, on: state)
    }
  }

  private func start(_ state: StreamState, on connection: isolated Connection) throws {
    if let refusal = connection.peer.refusal { throw refusal }
    if let refusal = connection.overload() { throw refusal }
    let path = state.fields.path
    guard let make = service.methods[path] else {
      throw RPCStatus(.unimplemented, "there is no method \(path) \(RPCStatus.notHere)")
    }
    if let timeout = state.fields.timeout {
      guard let limit = Timeout.parse(timeout) else {
        throw RPCStatus(.internalError, "malformed grpc-timeout")
      }
      state.deadline = connection.deadline(after: limit, for: state)
    }
    let call = ServerCall(connection, state, path: path, peer: connection.peer)
    if let authorization { try authorization.authorize(call) }
    state.handler = .server(try make(call), call)
  }

  /// Other HTTP gets an orderly HTTP answer (gRPC over HTTP/2, "Requests").
  private func isGRPC(_ state: StreamState, on connection: isolated Connection) -> Bool {
    let fields = state.fields
    if fields.isPost, fields.isGRPC { return true }
    let isMethod = service.methods[fields.path] != nil
    connection.answer(HTTPAnswer(to: fields, isMethod: isMethod), on: state)
    return false
  }
}

/// Decides, before a call's handler is made, whether it may go on; on the connection's loop.
package struct Authorization: Sendable {
  let authorize: @Sendable (ServerCall) throws -> Void

  /// - Parameter authorize: throws an `RPCStatus` to refuse.
  package init(_ authorize: @escaping @Sendable (ServerCall) throws -> Void) {
    self.authorize = authorize
  }
}

extension Connection {
  func deadline(after limit: Duration, for state: StreamState) -> DeadlineTimer {
    let instant = ContinuousClock.now + limit
    let id = state.id
    let timer = loop.schedule(at: instant) { [weak self] in
      self?.assumeIsolated { $0.deadlinePassed(id) }
    }
    return DeadlineTimer(instant: instant, timer: timer)
  }

  private func deadlinePassed(_ id: Int32) {
    guard let state = table.state(id) else { return }
    state.deadline = nil
    let status = RPCStatus(.deadlineExceeded, "the call's deadline passed")
    // Trailers would wait behind messages that nobody is in time for.
    if role.isServer, state.queuedBytes == 0 {
      finish(status, on: state)
      end(state, status)
    } else {
      end(state, status)
      session.reset(id, .cancel)
      scheduleFlush()
    }
  }
}
