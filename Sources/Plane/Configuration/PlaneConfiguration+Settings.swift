internal import EventLoop
internal import LogLines
internal import Providers
internal import RPC
internal import Broker
internal import Calls

extension PlaneConfiguration {
  /// All that a settings file may hold; the reference page is made from it.
  package static let settings: [Setting] =
    general + logging + model + calls
    + connections(.mutual) + peers(.mutual) + connections(.open) + peers(.open)

  private static let general: [Setting] = [
    .text("state", "folder", \.stateFolder, "Where the plane keeps everything.", nonEmpty),
    .address("listen", \.listen, "For clients and daemons: mutual TLS."),
    .address(
      "listen_open",
      \.listenOpen,
      "For enrollment and health: the plane alone is authenticated."
    ),
    .address(
      "listen_admin",
      \.listenAdmin,
      "For probes and metrics, plain HTTP; keep it on loopback."
    ),
    Setting(
      key: "hosts",
      form: "list of names and addresses",
      help: "By which the plane is reached besides, for its certificate; the first is told.",
      usual: "",
      place: .list { (hosts, configuration) in configuration.hosts = hosts }
    ),
    .text(
      "daemon.program",
      "file",
      \.daemonProgram,
      usual: "gatehouse-toold beside gatehouse",
      "The program of local workspaces' daemons.",
      optional
    ),
    .duration(
      "daemon.timeout",
      \.daemonTimeout,
      .seconds(1) ... .seconds(600),
      "How long a local workspace's daemon may take to link, and to end."
    ),
  ]

  private static let logging: [Setting] = [
    .text(
      "log.level",
      "trace, debug, info, notice, warning, error or critical",
      \.log.level,
      usual: "info",
      "SIGUSR1 switches to debug, and back."
    ) { (text) throws(SettingValue.Problem) in try SettingValue.choice(text, LogLevel.self) },
    .text(
      "log.format",
      "auto, text or json",
      \.log.format,
      usual: "auto",
      "auto: text where standard error is a terminal, else JSON, one object a line."
    ) { (text) throws(SettingValue.Problem) in
      text == "auto" ? nil : try SettingValue.choice(text, LogFormat.self)
    },
  ]

  private static let model: [Setting] = [
    .text(
      "model.url",
      "URL",
      \.model.url,
      usual: "$GATEHOUSE_MODEL_URL",
      "The root of an API that speaks OpenAI's chat completions."
    ) { (text) throws(SettingValue.Problem) in
      guard text.hasPrefix("https://") || text.hasPrefix("http://") else {
        throw SettingValue.Problem(message: "is no URL; write e.g. https://api.openai.com/v1")
      }
      return text
    },
    .text("model.name", "text", \.model.name, usual: "$GATEHOUSE_MODEL", "The model.", optional),
    .text(
      "model.key_env",
      "variable",
      \.model.keyVariable,
      usual: "OPENAI_API_KEY",
      "The environment variable that holds the key; wiped at the start.",
      nonEmpty
    ),
    .text(
      "model.key_file",
      "file",
      \.model.keyFile,
      "A file that holds the key, of mode 0600.",
      optional
    ),
    .text(
      "model.key",
      "text",
      \.model.key,
      "The key itself; only in a settings file of mode 0600."
    ) { (text) throws(SettingValue.Problem) in Secret(try nonEmpty(text)) },
    .text(
      "model.script",
      "file",
      \.model.script,
      "The transcript that the model 'script' plays; for demos and tests.",
      optional
    ),
  ]

  private static let calls: [Setting] = [
    .duration(
      "calls.default_timeout",
      \.broker.defaultTimeout,
      .seconds(1)...day,
      "A call's time when it names none."
    ),
    .duration(
      "calls.longest_timeout",
      \.broker.longestTimeout,
      .seconds(1) ... .seconds(7 * 86_400),
      "The most a call may ask for."
    ),
    .bytes(
      "calls.log_window",
      \.broker.logWindow,
      4_096...(1 << 30),
      "Output of each call that is kept for followers after its owner took it."
    ),
    .integer(
      "calls.ended_kept",
      \.broker.endedCalls,
      0...1_000_000,
      "Ended calls that can still be listed and read."
    ),
    .bytes("calls.ended_bytes", \.broker.endedBytes, 0...(64 << 30), "The most memory for them."),
    .integer(
      "calls.idempotency_keys",
      \.broker.idempotencyKeys,
      0...10_000_000,
      "Idempotency keys remembered."
    ),
    .duration(
      "calls.idempotency_time",
      \.broker.idempotencyTime,
      .seconds(1) ... .seconds(7 * 86_400),
      "How long after their call's end."
    ),
    .integer(
      "calls.per_daemon",
      \.broker.admission.callsPerDaemon,
      1...65_536,
      "Calls at once in a workspace; the daemon's own bound holds too."
    ),
    .integer(
      "calls.queued_per_daemon",
      \.broker.admission.queuedPerDaemon,
      0...1_000_000,
      "Calls that wait for a workspace; beyond, RESOURCE_EXHAUSTED."
    ),
    .integer(
      "calls.unclaimed_per_daemon",
      \.broker.admission.unclaimedPerDaemon,
      1...65_536,
      "Offers a daemon has not claimed yet."
    ),
    .integer("calls.unclaimed", \.broker.admission.unclaimed, 1...1_000_000, "And in all."),
    .integer(
      "calls.carries_per_daemon",
      \.broker.carriesPerDaemon,
      1...65_536,
      "Carry streams of a daemon."
    ),
    .duration(
      "calls.ticket_time",
      \.broker.timing.claim,
      .milliseconds(100) ... .seconds(600),
      "To claim a ticket."
    ),
    .duration(
      "calls.overdue_time",
      \.broker.timing.overdue,
      .milliseconds(100) ... .seconds(600),
      "Past its deadline, before the plane itself cancels a call."
    ),
    .duration(
      "calls.exit_time",
      \.broker.timing.exit,
      .milliseconds(100) ... .seconds(3_600),
      "For an exit after a cancel, before the call is lost."
    ),
    .duration(
      "calls.stranded_time",
      \.broker.timing.stranded,
      .milliseconds(100) ... .seconds(86_400),
      "For a cut call's workspace to come back, before the call is lost."
    ),
    .bytes(
      "chats.bytes",
      \.chatBytes,
      (1 << 20)...(64 << 30),
      "The most memory for chats; beyond, the oldest ended ones are forgotten."
    ),
    .duration(
      "links.heartbeat",
      \.broker.heartbeat,
      .seconds(1) ... .seconds(600),
      "Between heartbeats; three missed ones end the link."
    ),
    .bytes(
      "links.window_budget",
      \.broker.windowBudget,
      0...(1 << 40),
      "Receive windows promised to daemons, in all."
    ),
    .bytes(
      "links.interactive_window",
      \.broker.interactiveWindow,
      65_536...(1 << 30),
      "A call's receive window once its ticket was good."
    ),
    .bytes(
      "links.bulk_window",
      \.broker.bulkWindow,
      65_536...(1 << 30),
      "Once it has brought so much:"
    ),
    .bytes("links.bulk_after", \.broker.bulkAfter, 0...(1 << 40), "So much."),
  ]

  private static func connections(_ listener: ConnectionGroup) -> [Setting] {
    let group = listener.rawValue
    return [
      .integer(
        "\(group).max_streams",
        \.[limits: listener].maxConcurrentStreams,
        1...1_000_000,
        "HTTP/2 streams at once on a connection."
      ),
      .bytes(
        "\(group).stream_window",
        \.[limits: listener].streamWindow,
        1_024...(1 << 30),
        "A stream's first receive window."
      ),
      .bytes(
        "\(group).connection_window",
        \.[limits: listener].connectionWindow,
        65_535...(1 << 30),
        "A connection's."
      ),
      .bytes(
        "\(group).max_header_bytes",
        \.[limits: listener].maxHeaderBytes,
        1_024...(1 << 20),
        "Header fields of a request, as RFC 9113 counts them."
      ),
      .bytes(
        "\(group).max_message_bytes",
        \.[limits: listener].maxMessageBytes,
        65_536...(1 << 24),
        "The largest message."
      ),
      .text(
        "\(group).accepts_gzip",
        "true or false",
        \.[limits: listener].acceptsGzip,
        usual: "false",
        "Messages compressed with gzip are taken; the bound counts what comes out."
      ) { (text) throws(SettingValue.Problem) in try SettingValue.truth(text) },
      .duration(
        "\(group).handshake_timeout",
        \.[limits: listener].handshakeTimeout,
        .milliseconds(100) ... .seconds(600),
        "For TLS and the first frames."
      ),
      .duration(
        "\(group).ping_interval",
        \.[limits: listener].listenerPingInterval,
        .seconds(1) ... .seconds(3_600),
        "Between PINGs."
      ),
      .duration(
        "\(group).ping_timeout",
        \.[limits: listener].pingTimeout,
        .milliseconds(100) ... .seconds(600),
        "For the answer to one."
      ),
      .duration(
        "\(group).drain_timeout",
        \.[limits: listener].drainTimeout,
        .milliseconds(10) ... .seconds(60),
        "For a peer to read why its connection ends."
      ),
      .integer(
        "\(group).max_queued_frames",
        \.[limits: listener].maxQueuedFrames,
        1_024...1_000_000,
        "Frames that may wait for a peer that does not read."
      ),
      .integer(
        "\(group).reset_burst",
        \.[limits: listener].resetBurst,
        1...1_000_000_000,
        "Resets that a peer may send at once,"
      ),
      .integer(
        "\(group).reset_rate",
        \.[limits: listener].resetRate,
        1...1_000_000_000,
        "and then in each second."
      ),
    ]
  }

  /// What a listener's peers may ask of it.
  private static func peers(_ listener: ConnectionGroup) -> [Setting] {
    let group = listener.rawValue
    return [
      .integer(
        "\(group).max_connections",
        \.[limits: listener].listener.maxConnections,
        1...1_000_000,
        "Connections at once."
      ),
      .integer(
        "\(group).max_connections_per_address",
        \.[limits: listener].listener.maxConnectionsPerAddress,
        1...1_000_000,
        "From one address."
      ),
      .integer(
        "\(group).max_handshakes",
        \.[limits: listener].listener.maxHandshakes,
        1...1_000_000,
        "Handshakes at once; beyond, the oldest is given up."
      ),
      .duration(
        "\(group).headers_timeout",
        \.[limits: listener].headersTimeout,
        .milliseconds(100) ... .seconds(600),
        "For a header block, from its first frame to its end."
      ),
      .duration(
        "\(group).first_message_timeout",
        \.[limits: listener].firstMessageTimeout,
        .milliseconds(100) ... .seconds(3_600),
        "For a call's first message."
      ),
      .integer(
        "\(group).max_unstarted_streams",
        \.[limits: listener].maxUnstartedStreams,
        1...1_000_000,
        "Calls of a connection that wait for it."
      ),
      .bytes(
        "\(group).max_queued_bytes",
        \.[limits: listener].maxQueuedBytes,
        (1 << 20)...(1 << 40),
        "Answers that a connection's peer does not read; new calls are refused from a quarter of it."
      ),
      .integer(
        "\(group).work_burst",
        \.[limits: listener].workBurst,
        100...1_000_000_000,
        "Frames that carry nothing of a call (PING, SETTINGS and the like), at once,"
      ),
      .integer(
        "\(group).work_rate",
        \.[limits: listener].workRate,
        1...1_000_000_000,
        "and then in each second."
      ),
    ]
  }

  private static let day = Duration.seconds(86_400)

  @Sendable private static func nonEmpty(_ text: String) throws(SettingValue.Problem) -> String {
    guard !text.isEmpty else { throw SettingValue.Problem(message: "is empty") }
    return text
  }

  @Sendable private static func optional(_ text: String) throws(SettingValue.Problem) -> String? {
    try nonEmpty(text)
  }
}

/// The group of settings for a listener's connections.
enum ConnectionGroup: String, Sendable {
  case mutual = "connections"
  case open = "open_connections"
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
