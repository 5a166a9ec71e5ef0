internal import TLS

/// What a listener has seen since it was opened: plain integers on its loop.
package struct ServerCounters: Sendable {
  package var connectionsAccepted: UInt64 = 0
  /// Handshakes that came to no connection, by reason.
  package var handshakeFailures: [HandshakeFailure: UInt64] = [:]
  /// Connections that broke HTTP/2 and were ended.
  package var protocolErrors: UInt64 = 0
  /// Connections ended, and connections or calls refused, because a peer asked too much.
  package var limitsReached: [PeerLimit: UInt64] = [:]
  package var streamsOpened: UInt64 = 0
  package var resetsByPeers: UInt64 = 0
  /// Calls that were refused before they had a handler, by status.
  package var refusals: [RPCStatus.Code: UInt64] = [:]
  /// Bytes on the socket, TLS included.
  package var bytesReceived: UInt64 = 0
  package var bytesSent: UInt64 = 0
}

/// Why a handshake came to nothing.
package enum HandshakeFailure: String, Sendable, CaseIterable {
  case certificateMissing = "certificate_missing"
  case certificateRejected = "certificate_rejected"
  case plainHTTP = "plain_http"
  /// The peer ended it with an alert, or sent what is not TLS.
  case protocolFailure = "protocol"
  case timedOut = "timeout"
  case closedByPeer = "closed"
}

/// What a log would record of a listener. Told on its loop, so whoever hears it only hands it on.
package enum ServerEvent: Sendable {
  case handshakeFailed(peer: String, HandshakeFailure, String)
  /// A call was refused before it had a handler.
  case refused(Peer, path: String, RPCStatus)
  /// A connection was ended because it broke HTTP/2.
  case protocolBroken(peer: String, String)
}

/// A listener's counters, and who hears of its events.
///
/// Why @unchecked Sendable: touched on the listener's loop only, as its connections are.
final class ServerStatistics: @unchecked Sendable {
  var counters = ServerCounters()
  private let observe: @Sendable (ServerEvent) -> Void

  init(_ observe: @escaping @Sendable (ServerEvent) -> Void) { self.observe = observe }

  func handshakeFailed(_ peer: String, _ failure: HandshakeFailure, _ message: String) {
    counters.handshakeFailures[failure, default: 0] += 1
    observe(.handshakeFailed(peer: peer, failure, message))
  }

  func refused(_ peer: Peer, _ path: String, _ status: RPCStatus) {
    counters.refusals[status.code, default: 0] += 1
    observe(.refused(peer, path: path, status))
  }

  /// Counts only: a flood of refusals is no flood of log lines.
  func reached(_ limit: PeerLimit) { counters.limitsReached[limit, default: 0] += 1 }

  /// A connection is ended for a limit.
  func cutOff(_ peer: String, _ limit: PeerLimit, _ message: String) {
    reached(limit)
    observe(.protocolBroken(peer: peer, message))
  }

  func protocolBroken(_ peer: String, _ message: String) {
    counters.protocolErrors += 1
    observe(.protocolBroken(peer: peer, message))
  }
}

extension Connection {
  /// Counts a handshake that failed, at a server.
  func handshakeFailed(_ failure: HandshakeFailure, _ message: String) {
    statistics?.handshakeFailed(peer.address, failure, message)
  }
}

extension HandshakeFailure {
  init(_ code: TLSError.Code) {
    self =
      switch code {
      case .certificateRequired: .certificateMissing
      case .certificateRejected: .certificateRejected
      case .plainHTTP: .plainHTTP
      case .protocolFailure, .configuration, .keysRenewed: .protocolFailure
      }
  }
}
