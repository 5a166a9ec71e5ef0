internal import HTTP2

/// What a peer may have us do beyond its calls; see `PeerUsage`.
struct PeerBudget {
  private var work: TokenBucket
  private var resets: TokenBucket
  private let maxHeaderBlock: Int

  /// Frames that a call may bring besides its own.
  private static let workOfCall = 4

  init(_ limits: ConnectionLimits) {
    work = TokenBucket(burst: limits.workBurst, rate: limits.workRate)
    resets = TokenBucket(burst: limits.resetBurst, rate: limits.resetRate)
    maxHeaderBlock = 4 * limits.maxHeaderBytes
  }

  /// - Returns: the limit that was passed, and what the peer is told.
  mutating func spend(
    _ usage: PeerUsage,
    at now: ContinuousClock.Instant
  ) -> (PeerLimit, String)? {
    // A WINDOW_UPDATE for each KiB is more than clients of any kind send, but for small answers: HAProxy
    // sends one for the stream and one for the connection for each.
    work.add(Double(usage.sent) / 1_024 + Double(usage.blocks * Self.workOfCall))
    if usage.work > 0, !work.take(usage.work, at: now) {
      return (
        .work,
        "frames that carry nothing: more than \(work.burst) at once and \(work.rate) a second"
      )
    }
    if usage.resets > 0, !resets.take(usage.resets, at: now) {
      return (
        .resets, "streams reset: more than \(resets.burst) at once and \(resets.rate) a second"
      )
    }
    if let block = usage.headerBlock, block.bytes > maxHeaderBlock {
      return (.headerBlock, "a header block of more than \(maxHeaderBlock) bytes")
    }
    return nil
  }
}

/// HEADERS that open no stream, at a server: trailers, and those that nghttp2 passes over, of streams
/// below the last one. They carry nothing of a call, and pay for nothing.
struct StrayBlocks {
  private var blocks = 0
  private var opened = 0
  private var counted = 0

  /// `opened`: streams that were opened so far.
  mutating func count(in usage: inout PeerUsage, opened: Int) {
    blocks += usage.blocks
    usage.blocks = opened - self.opened
    self.opened = opened
    // One whose frame has begun may open its stream later, so it is counted once, and not again.
    guard blocks - opened > counted else { return }
    usage.work += blocks - opened - counted
    counted = blocks - opened
  }
}

/// A bound whose passing ends a connection, or refuses one.
package enum PeerLimit: String, Sendable, CaseIterable {
  /// Frames that carry nothing of a call.
  case work
  case resets
  case headerBlock = "header_block"
  /// A request's fields, once HPACK is undone.
  case headerList = "header_list"
  /// A message, as it came or inflated.
  case messageBytes = "message_bytes"
  /// Messages that wait inflated on a stream.
  case inflatedBytes = "inflated_bytes"
  /// A header block that does not end in time.
  case headersTimeout = "headers_timeout"
  /// Frames that wait because the peer does not read.
  case queuedFrames = "queued_frames"
  /// Bytes of answers that wait for the peer.
  case queuedBytes = "queued_bytes"
  /// A library's own bound.
  case flood
  /// Streams that wait for their first message: refused, or ended after a time.
  case unstarted
  case firstMessage = "first_message"
  /// A later message that does not come whole in time.
  case partialMessage = "partial_message"
  /// A large message waits in line, at the peer, for others to become whole.
  case heldBytes = "held_bytes"
  /// Messages in part, of all connections of a peer, or of all peers.
  case partialBytesOfPeer = "partial_bytes_of_peer"
  case partialBytes = "partial_bytes"
  /// Answers that wait, likewise.
  case queuedBytesOfPeer = "queued_bytes_of_peer"
  case queuedBytesInAll = "queued_bytes_in_all"
  case connections
  case connectionsOfAddress = "connections_of_address"
  case connectionsOfPrincipal = "connections_of_principal"
  case handshakes
  /// New keys of TLS, in a connection's life.
  case keyUpdates = "key_updates"
  /// A connection without calls.
  case idle
  /// A peer that nothing is heard of, asked by PING.
  case ping
}
