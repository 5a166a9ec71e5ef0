/// Bounds of one connection; see design §4, "Numbers to start from".
package struct ConnectionLimits: Sendable {
  package var maxConcurrentStreams: UInt32 = 4_096
  /// A stream's first window; raised by `raiseWindow` for those who earned it.
  package var streamWindow = 65_536
  package var connectionWindow: Int32 = 16 * 1_048_576
  package var maxHeaderBytes = 16_384
  package var maxMessageBytes = 1_048_576
  /// Frames that wait because the peer does not read; what it makes us answer ends there. Twice what
  /// honest calls may need.
  package var maxQueuedFrames = 16_384
  /// Bytes of messages that wait because the peer does not read, over all its streams; new calls are
  /// refused from a quarter of it. Handlers stop at 256 KiB a stream: as many as stock clients open.
  package var maxQueuedBytes = 128 * 1_048_576
  /// Streams that have not brought their first message; 64 KiB of it may be here.
  package var maxUnstartedStreams = 1_024
  /// Bytes of messages that are not whole and are larger than half their stream's window, over all
  /// streams: what is above waits in line, at the peer. One may always come, whatever its size.
  package var maxHeldBytes = 16 * 1_048_576
  /// Frames that carry nothing of a call (`PeerUsage`), at once and then in each second. They cost
  /// about a microsecond each.
  package var workBurst: UInt64 = 20_000
  package var workRate: UInt64 = 20_000
  /// Messages compressed with gzip are taken, and may be asked for. `maxMessageBytes` counts what
  /// comes out.
  package var acceptsGzip = false
  /// TLS, and the first frames after it.
  package var handshakeTimeout: Duration = .seconds(10)
  /// From a header block's first frame to its end.
  package var headersTimeout: Duration = .seconds(10)
  /// From a stream's headers to its first message, and for each message from its beginning to its
  /// end, at a server.
  package var firstMessageTimeout: Duration = .seconds(30)
  /// How often a peer is asked whether it is still there; `nil`: never. Stock gRPC servers cut off
  /// clients that ask more often than every five minutes.
  package var pingInterval: Duration? = .seconds(20)
  package var pingTimeout: Duration = .seconds(10)
  /// How long a server's connection may have no call before it is ended, in whole PING intervals; `zero`:
  /// for ever. Whoever holds connections and asks for nothing would keep others out.
  package var idleTimeout: Duration = .zero
  /// How long a refused or closed peer may take to read the reason.
  package var drainTimeout: Duration = .seconds(1)
  /// Resets that a peer may send at once, and then in each second.
  package var resetBurst: UInt64 = 10_000
  package var resetRate: UInt64 = 1_000
  /// Of a server, over all its connections.
  package var listener = ListenerLimits()

  package init() {}
}

/// Bounds of a listener, over all its connections.
package struct ListenerLimits: Sendable {
  package var maxConnections = 16_384
  /// One more than that ends the oldest, instead of being refused: for peers that nobody knows, which
  /// need no connection for long.
  package var givesUpOldest = false
  /// Of one peer's address, or of one IPv6 network of 64 bits. Daemons and clients may share a gateway, so these are as many.
  package var maxConnectionsPerAddress = 16_384
  /// Of one principal. A daemon may have one for each of its streams.
  package var maxConnectionsPerPrincipal = 1_024
  /// Connections whose TLS and first frames are under way: some 25 KiB each, held by strangers.
  package var maxHandshakes = 1_024
  /// Bytes of messages that are not whole, and of header fields and single requests of calls under way, of
  /// one peer's connections and of all; a peer is a principal, or an address where none is known. What
  /// passes it is refused.
  package var maxPartialBytesPerPeer = 64 * 1_048_576
  package var maxPartialBytes = 512 * 1_048_576
  /// Bytes of answers that wait because peers do not read, likewise; new calls are refused from a quarter
  /// of it, and above it the connection that adds to it is ended.
  package var maxQueuedBytesPerPeer = 256 * 1_048_576
  package var maxQueuedBytes = 1_024 * 1_048_576

  package init() {}
}
