package import EventLoop
internal import HTTP2
package import TLS

/// What a client's connection knows beyond the connection.
final class ClientCore: Sendable {
  let identification: Identification?
  let authority: String

  init(identification: Identification?, authority: String) {
    self.identification = identification
    self.authority = authority
  }
}

extension Connection {
  /// Connects, and waits until the server's certificate is verified. Tries each address of a name.
  ///
  /// The server's certificate must be for `serverName`, by default the host; a name that is given is also what
  /// calls are for (`:authority`). `identification` is a
  /// further look at its chain, e.g. for pins; what it refuses fails each call. Without `tls` the
  /// connection is plaintext.
  ///
  /// Throws an `RPCStatus`, `UNAVAILABLE` with the reason; `CancellationError`.
  package static func connect(
    to address: HostPort,
    tls: TLSContext?,
    serverName: String? = nil,
    on loop: EventLoop,
    identification: Identification? = nil,
    limits: ConnectionLimits = ConnectionLimits()
  ) async throws -> Connection {
    let addresses = try await resolve(address)
    let core = ClientCore(
      identification: identification,
      authority: serverName ?? address.description
    )
    var failure = RPCStatus(.unavailable, "no address for \(address)")
    for candidate in addresses {
      do {
        let connection = try Connection(
          .client(core),
          socket: Socket.connecting(to: candidate),
          transport: .client(tls, serverName: serverName ?? address.host),
          peerAddress: candidate.description,
          limits: limits,
          on: loop
        )
        try await connection.becomeOpen()
        return connection
      } catch let status as RPCStatus {
        failure = status
      } catch {
        failure = RPCStatus(.unavailable, "\(error)")
      }
      try Task.checkCancellation()
    }
    throw failure
  }

  private static func resolve(_ address: HostPort) async throws -> [SocketAddress] {
    if let numeric = SocketAddress(numeric: address.host, port: address.port) { return [numeric] }
    do {
      return try await names.run { try SocketAddress.resolve(address.host, port: address.port) }
    } catch {
      throw RPCStatus(.unavailable, "\(error)")
    }
  }

  /// Name resolution blocks, so it has a thread of its own.
  private static let names = WorkerPool(name: "names", threads: 1)

  private func becomeOpen() async throws {
    start()
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { awaitOpening($0) }
    } onCancel: {
      loop.execute { self.assumeIsolated { $0.giveUpOpening() } }
    }
  }

  /// A task that prefers an executor comes here some turns of the loop after `start`: by then it may
  /// be over, or nobody may wait for it any more.
  private func awaitOpening(_ continuation: CheckedContinuation<Void, any Error>) {
    guard phase == .connecting || phase == .handshaking else {
      return continuation.resume(
        with: phase == .open ? .success(()) : .failure(closeReason ?? RPCStatus(.unavailable))
      )
    }
    // Resumed by `established` or `close`.
    openWaiters.append(continuation)
    if Task.isCancelled { giveUpOpening() }
  }

  private func giveUpOpening() {
    guard !openWaiters.isEmpty else { return }
    close(RPCStatus(.cancelled, "nobody waits for the connection any more"))
  }

  /// Opens a call. `make` gives the state machine that hears of it.
  ///
  /// `timeout` is sent to the server, and kept here too. With `gzip`, `ClientCall.sendCompressed`
  /// compresses. Throws `UNAVAILABLE` when the connection
  /// takes no more calls.
  @discardableResult
  package func open(
    _ path: String,
    metadata: Metadata = Metadata(),
    timeout: Duration? = nil,
    gzip: Bool = false,
    _ make: @Sendable () -> any ClientHandler
  ) throws(RPCStatus) -> ClientCall {
    guard case .client(let core) = role, canOpen else {
      let text = farewell ?? "the connection takes no more calls"
      throw closeReason ?? RPCStatus(.unavailable, text, isUnprocessed: true)
    }
    if let refusal = peer.refusal { throw refusal }
    var block = HeaderBlock()
    block.append(":method", "POST")
    block.append(":scheme", transport.isPlaintext ? "http" : "https")
    block.append(":path", path)
    block.append(":authority", core.authority)
    block.append("te", "trailers")
    block.append("content-type", "application/grpc")
    block.append("user-agent", "grpc-swift-gatehouse/0.1")
    if gzip { block.append("grpc-encoding", "gzip") }
    if limits.acceptsGzip { block.append("grpc-accept-encoding", "identity,gzip") }
    if let timeout { block.append("grpc-timeout", Timeout.format(timeout)) }
    metadata.append(to: &block)
    let id: Int32
    do {
      id = try session.request(block)
    } catch {
      throw RPCStatus(.unavailable, "the connection takes no more calls: \(error)")
    }
    let state = table.open(id)
    let call = ClientCall(connection: self, id: id)
    state.gzips = gzip
    state.handler = .client(make(), call)
    if let timeout { state.deadline = deadline(after: timeout, for: state) }
    scheduleFlush()
    return call
  }

  /// Ends the connection; calls under way end with `UNAVAILABLE`.
  package func closeClient() {
    shutDown(RPCStatus(.unavailable, "the connection was closed here"))
  }

  /// Whether calls can be opened: it was not cut, and the server is not leaving.
  package var isOpen: Bool { canOpen }

  private var canOpen: Bool { phase == .open && !isGoingAway }

  /// One request, one response. A call that the server refused without a look is made once more.
  ///
  /// - Throws: `RPCStatus`, or `CancellationError`.
  package func unary(
    _ path: String,
    _ request: [UInt8],
    metadata: Metadata = Metadata(),
    timeout: Duration? = .seconds(30)
  ) async throws -> [UInt8] {
    let end = timeout.map { ContinuousClock.now + $0 }
    do {
      return try await exchange(path, request, metadata, timeout)
    } catch let status as RPCStatus where status.isUnprocessed && canOpen {
      // Once more: nobody saw the first (gRFC A6, "Transparent Retries").
      return try await exchange(path, request, metadata, end.map { $0 - .now })
    }
  }

  private func exchange(
    _ path: String,
    _ request: [UInt8],
    _ metadata: Metadata,
    _ timeout: Duration?
  ) async throws -> [UInt8] {
    let stream = try openStream(path, metadata: metadata, timeout: timeout)
    try await stream.send(request)
    await stream.halfClose()
    guard let response = try await stream.next() else {
      throw RPCStatus(.unimplemented, "\(path) ended without a response")
    }
    guard try await stream.next() == nil else {
      await stream.cancel()
      throw RPCStatus(.unimplemented, "\(path) gave more than one response")
    }
    return response
  }

  // MARK: What arrives

  /// The server's last word, from trailers or what stands for them.
  func finalStatus(of state: StreamState) -> RPCStatus {
    let fields = state.fields
    guard let number = fields.status else {
      if let foreign = fields.foreignAnswer { return foreign }
      return RPCStatus(.unknown, "the server ended the call without a status")
    }
    var status = RPCStatus(
      RPCStatus.Code(rawValue: number) ?? .unknown,
      PercentEncoding.decode(fields.message)
    )
    status.trailers = fields.metadata
    return status
  }
}
