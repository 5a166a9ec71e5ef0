internal import EventLoop
internal import RPC

/// The group of settings for a listener's connections.
enum ConnectionGroup: String, Sendable {
  case mutual = "connections"
  case open = "open_connections"

  var settings: [Setting] { connections + peers + shares }

  /// What a connection takes.
  private var connections: [Setting] {
    [
      .integer(
        "\(rawValue).max_streams",
        \.[limits: self].maxConcurrentStreams,
        1...1_000_000,
        "HTTP/2 streams at once on a connection."
      ),
      .bytes(
        "\(rawValue).stream_window",
        \.[limits: self].streamWindow,
        1_024...(1 << 30),
        "A stream's first receive window."
      ),
      .bytes(
        "\(rawValue).connection_window",
        \.[limits: self].connectionWindow,
        65_535...(1 << 30),
        "A connection's."
      ),
      .bytes(
        "\(rawValue).max_header_bytes",
        \.[limits: self].maxHeaderBytes,
        1_024...(1 << 20),
        "Header fields of a request, as RFC 9113 counts them."
      ),
      .bytes(
        "\(rawValue).max_message_bytes",
        \.[limits: self].maxMessageBytes,
        65_536...(1 << 24),
        "The largest message."
      ),
      .text(
        "\(rawValue).accepts_gzip",
        "true or false",
        \.[limits: self].acceptsGzip,
        usual: "false",
        "Messages compressed with gzip are taken; the bound counts what comes out."
      ) { (text) throws(SettingValue.Problem) in try SettingValue.truth(text) },
      .duration(
        "\(rawValue).handshake_timeout",
        \.[limits: self].handshakeTimeout,
        .milliseconds(100) ... .seconds(600),
        "For TLS and the first frames."
      ),
      .duration(
        "\(rawValue).ping_interval",
        \.[limits: self].listenerPingInterval,
        .seconds(1) ... .seconds(3_600),
        "Between PINGs."
      ),
      .duration(
        "\(rawValue).ping_timeout",
        \.[limits: self].pingTimeout,
        .milliseconds(100) ... .seconds(600),
        "For the answer to one."
      ),
      .duration(
        "\(rawValue).idle_timeout",
        \.[limits: self].idleTimeout,
        .zero ... .seconds(86_400),
        "For a connection without calls, about; 0s: for ever."
      ),
      .duration(
        "\(rawValue).drain_timeout",
        \.[limits: self].drainTimeout,
        .milliseconds(10) ... .seconds(60),
        "For a peer to read why its connection ends."
      ),
      .integer(
        "\(rawValue).max_queued_frames",
        \.[limits: self].maxQueuedFrames,
        1_024...1_000_000,
        "Frames that may wait for a peer that does not read."
      ),
      .integer(
        "\(rawValue).reset_burst",
        \.[limits: self].resetBurst,
        1...1_000_000_000,
        "Resets that a peer may send at once,"
      ),
      .integer(
        "\(rawValue).reset_rate",
        \.[limits: self].resetRate,
        1...1_000_000_000,
        "and then in each second."
      ),
    ]
  }

  /// What a listener's peers may ask of it.
  private var peers: [Setting] {
    [
      .integer(
        "\(rawValue).max_connections",
        \.[limits: self].listener.maxConnections,
        1...1_000_000,
        "Connections at once."
      ),
      .integer(
        "\(rawValue).max_connections_per_address",
        \.[limits: self].listener.maxConnectionsPerAddress,
        1...1_000_000,
        "From one address."
      ),
      .integer(
        "\(rawValue).max_connections_per_principal",
        \.[limits: self].listener.maxConnectionsPerPrincipal,
        1...1_000_000,
        "Of one principal."
      ),
      .integer(
        "\(rawValue).max_handshakes",
        \.[limits: self].listener.maxHandshakes,
        1...1_000_000,
        "Handshakes at once; beyond, the oldest is given up."
      ),
      .duration(
        "\(rawValue).headers_timeout",
        \.[limits: self].headersTimeout,
        .milliseconds(100) ... .seconds(600),
        "For a header block, from its first frame to its end."
      ),
      .duration(
        "\(rawValue).first_message_timeout",
        \.[limits: self].firstMessageTimeout,
        .milliseconds(100) ... .seconds(3_600),
        "For a call's first message, and for each to come whole."
      ),
      .integer(
        "\(rawValue).max_unstarted_streams",
        \.[limits: self].maxUnstartedStreams,
        1...1_000_000,
        "Calls of a connection that wait for it."
      ),
      .bytes(
        "\(rawValue).max_queued_bytes",
        \.[limits: self].maxQueuedBytes,
        (1 << 20)...(1 << 40),
        "Answers that a connection's peer does not read; new calls are refused from a quarter of it."
      ),
      .bytes(
        "\(rawValue).max_held_bytes",
        \.[limits: self].maxHeldBytes,
        (1 << 20)...(1 << 40),
        "Large messages of a connection that are not whole; further ones wait at the peer."
      ),
      .integer(
        "\(rawValue).work_burst",
        \.[limits: self].workBurst,
        100...1_000_000_000,
        "Frames that carry nothing of a call (PING, SETTINGS and the like), at once,"
      ),
      .integer(
        "\(rawValue).work_rate",
        \.[limits: self].workRate,
        1...1_000_000_000,
        "and then in each second."
      ),
    ]
  }
}

extension ConnectionGroup {
  /// What a peer's connections may hold together, and all.
  private var shares: [Setting] {
    [
      .bytes(
        "\(rawValue).max_partial_bytes_per_peer",
        \.[limits: self].listener.maxPartialBytesPerPeer,
        (1 << 20)...(1 << 40),
        "Messages that are not whole, and requests and header fields of calls under way, of one "
          + "principal, or address where none is known."
      ),
      .bytes(
        "\(rawValue).max_partial_bytes",
        \.[limits: self].listener.maxPartialBytes,
        (1 << 20)...(1 << 40),
        "And in all; those who hold more than their part are refused more."
      ),
      .bytes(
        "\(rawValue).max_queued_bytes_per_peer",
        \.[limits: self].listener.maxQueuedBytesPerPeer,
        (1 << 20)...(1 << 40),
        "Answers that are not read, likewise; new calls are refused from a quarter of it."
      ),
      .bytes(
        "\(rawValue).max_queued_bytes_in_all",
        \.[limits: self].listener.maxQueuedBytes,
        (1 << 20)...(1 << 40),
        "And in all."
      ),
    ]
  }
}

extension PlaneConfiguration {
  subscript(limits group: ConnectionGroup) -> ConnectionLimits {
    get { group == .mutual ? mutualLimits : openLimits }
    set { if group == .mutual { mutualLimits = newValue } else { openLimits = newValue } }
  }
}

extension ConnectionLimits {
  /// A listener always asks whether its peers are there.
  fileprivate var listenerPingInterval: Duration {
    get { pingInterval ?? .seconds(20) }
    set { pingInterval = newValue }
  }
}
