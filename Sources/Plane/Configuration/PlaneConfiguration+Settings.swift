internal import EventLoop
internal import LogLines
internal import Providers
internal import Broker
internal import Calls

extension PlaneConfiguration {
  /// All that a settings file may hold; the reference page is made from it.
  package static let settings: [Setting] =
    general + logging + model + calls + ConnectionGroup.mutual.settings
    + ConnectionGroup.open.settings

  private static let general: [Setting] = [
    .text("state", "folder", \.stateFolder, "Where the plane keeps everything.", nonEmpty),
    .text(
      "ledger.checkpoints",
      "file",
      \.checkpointFile,
      usual: "$STATE.checkpoints",
      "Where the ledger's signed checkpoints go; best where the plane's account can only append."
    ) { (text) throws(SettingValue.Problem) in
      guard text.hasPrefix("/") else {
        throw SettingValue.Problem(message: "is no absolute path; write e.g. /var/log/checkpoints")
      }
      return text
    },
    .text(
      "ledger.webhook",
      "https URL",
      \.checkpointWebhook,
      "Where each newest checkpoint is posted besides, as text; sent again until it answers 2xx."
    ) { (text) throws(SettingValue.Problem) in try webhook(text) },
    .duration(
      "ledger.webhook_timeout",
      \.checkpointWebhookTimeout,
      .milliseconds(100) ... .seconds(60),
      "How long one such post may take."
    ),
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
      "A call's time when it names none; never above `calls.longest_timeout`."
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
    .bytes(
      "calls.kept_output",
      \.spool.callBytes,
      (2 << 20)...(1 << 40),
      "The most disk for the output of one call with the log rule KEEP: an agent's, a detached one. "
        + "Beyond, the command waits, or the oldest goes, as it asked."
    ),
    .bytes(
      "calls.kept_output_in_all",
      \.spool.allBytes,
      0...(1 << 44),
      "And for all of them; beyond, the output of calls that ended longest ago goes. 0: none is kept."
    ),
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
      "Calls that wait for a workspace; beyond, RESOURCE_EXHAUSTED for principals who have their "
        + "share of it."
    ),
    .integer(
      "calls.unclaimed_per_daemon",
      \.broker.admission.unclaimedPerDaemon,
      1...65_536,
      "Offers a daemon has not claimed yet."
    ),
    .integer(
      "calls.unclaimed_per_principal",
      \.broker.admission.unclaimedPerPrincipal,
      1...1_000_000,
      "Those of one principal, with all daemons together."
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
      "links.window_budget_per_daemon",
      \.broker.windowBudgetPerDaemon,
      0...(1 << 40),
      "And to each."
    ),
    .bytes(
      "calls.request_budget",
      \.broker.requestBudget,
      0...(1 << 40),
      "Requests of more than 4 KiB of calls that have not ended, in all."
    ),
    .bytes(
      "calls.request_budget_per_principal",
      \.broker.requestBudgetPerPrincipal,
      0...(1 << 40),
      "And of each principal."
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

  private static let day = Duration.seconds(86_400)

  @Sendable private static func nonEmpty(_ text: String) throws(SettingValue.Problem) -> String {
    guard !text.isEmpty else { throw SettingValue.Problem(message: "is empty") }
    return text
  }

  /// Checkpoints are no secret, but whoever changes them on their way hides what they prove.
  @Sendable private static func webhook(_ text: String) throws(SettingValue.Problem) -> String? {
    let isSecure = text.hasPrefix("https://")
    let rest = text.dropFirst(isSecure ? 8 : 7)
    let host = rest.prefix { !"/?#".contains($0) }.split(separator: "@").last ?? ""
    guard isSecure || text.hasPrefix("http://"), !host.isEmpty,
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
    else {
      throw SettingValue.Problem(message: "is no URL; write e.g. https://witness.example.com/hook")
    }
    let isNear = ["localhost", "127.0.0.1", "[::1]"].contains { name in
      host == name || host.hasPrefix(name + ":")
    }
    guard isSecure || isNear else {
      throw SettingValue.Problem(
        message: "would send them in the clear; write https://, or an address of this machine"
      )
    }
    return text
  }

  @Sendable private static func optional(_ text: String) throws(SettingValue.Problem) -> String? {
    try nonEmpty(text)
  }
}
