internal import Broker
internal import Calls
internal import EventLoop
internal import FoundationEssentials
internal import Host
internal import LogLines
internal import RPC
internal import Testing

@testable internal import Plane

@Suite struct `A settings file` {
  private func read(_ text: String, isPrivate: Bool = false) throws -> PlaneConfiguration {
    var configuration = PlaneConfiguration(stateFolder: "/usual")
    try SettingsFile.read(text: text, named: "g.yaml", isPrivate: isPrivate, into: &configuration)
    return configuration
  }

  private func problem(_ text: String, isPrivate: Bool = false) -> String {
    do {
      _ = try read(text, isPrivate: isPrivate)
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func `names a key file that is not there, and the option for a port that is taken`() {
    var configuration = PlaneConfiguration(stateFolder: "/usual")
    configuration.model.keyFile = "/none/key"
    #expect(configuration.problems == ["model.key_file: cannot read /none/key: \(missing)"])
    let taken = SystemError("listen on 127.0.0.1:7444", code: 98)
    #expect(configuration.remedy(for: taken) == "choose another with --listen-open")
    #expect(configuration.remedy(for: SystemError("listen on 127.0.0.1:7444", code: 13)) == nil)
  }

  @Test func `names hosts that no certificate can name, and too many of them`() throws {
    let problem = try read("hosts: [\"[::1]:7443\"]").problems.joined()
    #expect(problem.hasPrefix("hosts: '[::1]:7443' is neither a host's name nor an address"))
    let many = (0..<20_000).map { "h\($0).example" }.joined(separator: ", ")
    // With the two that it listens on.
    #expect(
      try read("hosts: [\(many)]").problems
        == ["hosts: 20002 hosts; a certificate names at most 100"]
    )
    #expect(try read("hosts: [a.example, 10.0.0.1]").problems.isEmpty)
  }

  @Test func `that no plane can have starts none, and makes no state`() async throws {
    let folder = try TemporaryState()
    var configuration = try read("hosts: [a b]")
    configuration.stateFolder = folder.folder.path + "/new"
    let error = await #expect(throws: PlaneError.self) { _ = try await Plane(configuration) }
    #expect(error?.message.hasPrefix("hosts: 'a b' is neither") == true)
    #expect(!FileManager.default.fileExists(atPath: configuration.stateFolder))
  }

  @Test func `with thousands of mistakes names the first`() {
    let text = (0..<60_000).map { "key\($0): 1" }.joined(separator: "\n")
    let lines = problem(text).split(separator: "\n")
    #expect(lines.count == 21)
    #expect(lines.first?.hasPrefix("g.yaml:1:1: there is no setting 'key0'") == true)
    #expect(lines.last == "g.yaml: and 59980 more of the kind")
  }

  private let missing = "No such file or directory"

  @Test func `sets what it names and leaves the rest`() throws {
    let configuration = try read(
      """
      # a comment
      state: /var/lib/gatehouse
      listen: 0.0.0.0:7000
      hosts: [gate.example.com, 10.0.0.1]
      log: {level: warning, format: json}
      calls:
        default_timeout: 90s
        log_window: 64 KiB
        per_daemon: 7
        ticket_time: 2s
      links:
        window_budget: 1GiB
      connections:
        max_streams: 100
        reset_burst: 5
      open_connections:
        handshake_timeout: 2s
        accepts_gzip: true
      """
    )
    #expect(configuration.stateFolder == "/var/lib/gatehouse")
    #expect(configuration.listen == HostPort(host: "0.0.0.0", port: 7000))
    #expect(configuration.hosts == ["gate.example.com", "10.0.0.1"])
    #expect(configuration.log.level == .warning)
    #expect(configuration.log.format == .json)
    #expect(configuration.broker.defaultTimeout == .seconds(90))
    #expect(configuration.broker.logWindow == 65_536)
    #expect(configuration.broker.admission.callsPerDaemon == 7)
    #expect(configuration.broker.timing.claim == .seconds(2))
    #expect(configuration.broker.windowBudget == 1 << 30)
    #expect(configuration.mutualLimits.maxConcurrentStreams == 100)
    #expect(configuration.mutualLimits.resetBurst == 5)
    #expect(configuration.openLimits.handshakeTimeout == .seconds(2))
    #expect(configuration.openLimits.acceptsGzip)
    let usual = PlaneConfiguration(stateFolder: "")
    #expect(configuration.listenOpen == usual.listenOpen)
    #expect(configuration.openLimits.maxConcurrentStreams == 16)
    #expect(configuration.broker.bulkWindow == usual.broker.bulkWindow)
  }

  @Test(arguments: ["", "# nothing\n", "calls:\n", "---\n"])
  func `may say nothing`(text: String) throws {
    #expect(try read(text).stateFolder == "/usual")
  }

  @Test(arguments: [
    ("listn: 1", "g.yaml:1:1: there is no setting 'listn'; did you mean 'listen'?"),
    (
      "calls:\n  default_timeoutt: 10s",
      "g.yaml:2:3: there is no setting 'calls.default_timeoutt'; "
        + "did you mean 'calls.default_timeout'?"
    ),
    (
      "log:\n  colour: red",
      "g.yaml:2:3: there is no setting 'log.colour'; there are: log.level, log.format"
    ),
    (
      "listen: 7443",
      "g.yaml:1:9: listen: '7443' is not HOST:PORT; write e.g. 127.0.0.1:7443, or [::1]:7443"
    ),
    (
      "calls:\n  default_timeout: soon",
      "g.yaml:2:20: calls.default_timeout: 'soon' is not a time from 1s to 24h; "
        + "write e.g. 10s, 500ms, 5m"
    ),
    (
      "calls: {default_timeout: 48h}",
      "g.yaml:1:26: calls.default_timeout: '48h' is not a time from 1s to 24h; "
        + "write e.g. 10s, 500ms, 5m"
    ),
    (
      "calls: {log_window: 1TB}",
      "g.yaml:1:21: calls.log_window: '1TB' is not a size from 4 KiB to 1 GiB; write e.g. 64 KiB"
    ),
    (
      "connections: {max_streams: 0}",
      "g.yaml:1:28: connections.max_streams: '0' is not a whole number from 1 to 1000000"
    ),
    (
      "log: {format: xml}", "g.yaml:1:15: log.format: 'xml' is none of: text, json"
    ),
    ("hosts: one", "g.yaml:1:8: hosts: is not a list; write e.g. [a, b]"),
    ("listen: [a, b]", "g.yaml:1:9: listen: is not one value"),
    ("listen:", "g.yaml:1:8: 'listen' has no value; give one, or remove the line"),
    ("calls: 3", "g.yaml:1:8: 'calls' is not made of `key: value` lines; see the reference page"),
    ("- a", "g.yaml:1:1: the file is not made of `key: value` lines; see the reference page"),
    (
      "a: 1\nlisten: x",
      "g.yaml:1:1: there is no setting 'a'; there are: state, ledger, listen, listen_open, "
        + "listen_admin, hosts, daemon, log, model, calls, chats, links, connections, open_connections\n"
        + "g.yaml:2:9: listen: 'x' is not HOST:PORT; write e.g. 127.0.0.1:7443, or [::1]:7443"
    ),
  ])
  func `that is wrong is told where, and what would be right`(text: String, message: String) {
    #expect(problem(text) == message)
  }

  @Test(arguments: [
    ("a: [1", "g.yaml:2:1: "),
    ("listen: a:1\nlisten: b:2", "g.yaml:1:1: this group has a key twice: listen"),
    ("a: b: c", "g.yaml:1:5: "),
  ])
  func `that is no YAML is told where`(text: String, start: String) {
    #expect(problem(text).hasPrefix(start))
  }

  @Test func `holds a key only when it is its owner's alone, and never shows it`() throws {
    let text = "model: {key: sk-marker}"
    #expect(
      problem(text) == "g.yaml:1:14: model.key is here, and other accounts can read this file; "
        + "run: chmod 600 g.yaml; or use model.key_env or model.key_file"
    )
    let configuration = try read(text, isPrivate: true)
    #expect(configuration.model.key != nil)
    var shown = ""
    dump(configuration, to: &shown)
    #expect(!shown.contains("sk-marker"))
  }

  @Test func `is read from a file whose mode counts`() throws {
    let folder = try TemporaryState()
    try folder.folder.write(Array("model: {key: sk-marker}".utf8), to: "g.yaml")
    let path = folder.folder.path(of: "g.yaml")
    var configuration = PlaneConfiguration(stateFolder: "")
    try SettingsFile.read(path, into: &configuration)
    #expect(configuration.model.key != nil)
    #expect(configuration.hiddenFiles == [path])
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    #expect(throws: SettingsFile.Problem.self) {
      try SettingsFile.read(path, into: &configuration)
    }
    #expect(throws: HostError.self) {
      try SettingsFile.read(path + ".none", into: &configuration)
    }
  }

  @Test(arguments: [
    "https://witness.example.com/hook?token=a", "http://127.0.0.1:9000/", "http://[::1]:9000",
    "http://localhost/x",
  ])
  func `takes an address for checkpoints that nobody can change on the way`(url: String) throws {
    #expect(try read("ledger: {webhook: \"\(url)\"}").checkpointWebhook == url)
  }

  @Test(arguments: [
    "http://witness.example.com/secret", "ftp://a/secret", "https:///secret", "secret",
    "https://a/sec ret", "http://127.0.0.1.example.com/secret", "http://127.0.0.1@b.example/secret",
  ])
  func `refuses others, and does not show them`(url: String) {
    let problem = problem("ledger: {webhook: \"\(url)\"}")
    #expect(problem.hasPrefix("g.yaml:1:19: ledger.webhook: "))
    #expect(!problem.contains("secret") && !problem.contains("sec ret"))
  }

  @Test func `each setting takes the default that its reference names`() throws {
    for setting in PlaneConfiguration.settings where !setting.usual.isEmpty {
      guard !setting.usual.hasPrefix("$"), setting.key != "daemon.program" else { continue }
      guard case .text(let put) = setting.place else { continue }
      var configuration = PlaneConfiguration(stateFolder: "")
      #expect(throws: Never.self, "\(setting.key)") { try put(setting.usual, &configuration) }
    }
    let keys = PlaneConfiguration.settings.map(\.key)
    #expect(Set(keys).count == keys.count)
  }

  @Test func `has a reference page that is made from it`() throws {
    let page =
      #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
      + "/Deploy/SETTINGS.md"
    let text = try #require(FileManager.default.contents(atPath: page))
    #expect(String(decoding: text, as: UTF8.self).contains(SettingsReference.table))
  }
}
