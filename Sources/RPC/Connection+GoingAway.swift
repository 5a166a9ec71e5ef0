internal import EventLoop
internal import HTTP2

/// The orderly end of a connection: calls under way end, new ones go elsewhere.
struct Retirement {
  let reason: RPCStatus
  /// Answers to PING until the peer has seen that GOAWAY is coming; `nil` before we asked.
  var pongsDue: Int?
  let timer: LoopTimer
}

extension Connection {
  /// Takes no new calls, and ends once those under way have.
  ///
  /// At a server in the two steps of RFC 9113 §6.8: GOAWAY for all streams; after a round trip, by
  /// when the peer knows, GOAWAY with the last stream that was taken. So no call is lost that was
  /// on its way. What is not over after `limit` ends with `reason`.
  package func retire(_ reason: RPCStatus, within limit: Duration) {
    guard phase == .open else { return shutDown(reason) }
    guard retirement == nil else { return }
    let timer = loop.schedule(after: limit) { [weak self] in
      self?.assumeIsolated { $0.dismiss(reason) }
    }
    retirement = Retirement(reason: reason, timer: timer)
    if role.isServer {
      session.announceGoAway()
    } else {
      isGoingAway = true
      retireNow(reason)
    }
    flush()
  }

  /// The first step is on its way: asks whether it has arrived.
  func sentGoAway() {
    guard role.isServer, retirement != nil, retirement?.pongsDue == nil else { return }
    // One of keepalive's may be due before.
    retirement?.pongsDue = pongIsDue ? 2 : 1
    session.ping()
    scheduleFlush()
  }

  /// The second step. The session is over with its last stream; `flush` sees that.
  private func retireNow(_ reason: RPCStatus) {
    closeReason = closeReason ?? reason
    session.goAway(.noError, reason.message)
    scheduleFlush()
  }

  func receivedPong() {
    pongIsDue = false
    guard let pongsDue = retirement?.pongsDue, pongsDue > 0, role.isServer else { return }
    retirement?.pongsDue = pongsDue - 1
    if pongsDue == 1, let reason = retirement?.reason { retireNow(reason) }
  }

  /// The peer goes away. Calls that it did not take, and will not, may be made elsewhere.
  func receivedGoAway(_ last: Int32, _ code: HTTP2Code, _ text: String) {
    isGoingAway = true
    guard case .client = role else { return }
    let said = text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }
    let reason = said.isEmpty ? "" : ": \(String(String.UnicodeScalarView(said)))"
    farewell = "\(peer.address) is going away (code \(code.rawValue)\(reason))"
    let status = notTaken
    for state in table.all where state.id > last {
      end(state, status)
      // One that still waits for its turn is withdrawn.
      session.reset(state.id, .cancel)
    }
    scheduleFlush()
  }

  /// What a call is told that the peer did not take before it went away.
  private var notTaken: RPCStatus {
    let farewell = farewell ?? "\(peer.address) is going away"
    return RPCStatus(.unavailable, "\(farewell) and did not take the call", isUnprocessed: true)
  }

  /// At a client: the end of a call that the server's GOAWAY closed.
  func farewell(to state: StreamState, _ code: HTTP2Code) -> RPCStatus? {
    guard isGoingAway, code == .refusedStream, state.fields.blocks == 0 else { return nil }
    return notTaken
  }

  /// Returns when the connection has ended.
  package func closed() async {
    await withCheckedContinuation { continuation in
      whenClosed { _ in continuation.resume() }
    }
  }
}

extension Server {
  /// Takes no more connections, and returns when those there are have ended; see
  /// `Connection.retire`.
  package func retire(_ reason: RPCStatus, within limit: Duration) async {
    stopAccepting()
    let connections = connections
    for connection in connections { connection.onLoop { $0.retire(reason, within: limit) } }
    for connection in connections { await connection.closed() }
  }
}
