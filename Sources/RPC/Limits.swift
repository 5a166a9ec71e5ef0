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
  /// Messages compressed with gzip are taken, and may be asked for. `maxMessageBytes` counts what
  /// comes out.
  package var acceptsGzip = false
  /// TLS, and the first frames after it.
  package var handshakeTimeout: Duration = .seconds(10)
  /// How often a peer is asked whether it is still there; `nil`: never. Stock gRPC servers cut off
  /// clients that ask more often than every five minutes.
  package var pingInterval: Duration? = .seconds(20)
  package var pingTimeout: Duration = .seconds(10)
  /// How long a refused or closed peer may take to read the reason.
  package var drainTimeout: Duration = .seconds(1)
  /// Resets that a peer may send at once, and then in each second.
  package var resetBurst: UInt64 = 10_000
  package var resetRate: UInt64 = 1_000

  package init() {}
}
