internal import ArgumentParser
internal import Client
internal import EventLoop
internal import Host
internal import Plane

struct PlaneCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plane",
    abstract: "Run a plane.",
    discussion: """
      The first start makes a development CA and an admin's identity in the state folder. A line on
      standard output says when it is ready. Model keys come from the environment: OPENAI_API_KEY,
      with GATEHOUSE_MODEL_URL and GATEHOUSE_MODEL for other providers and models; they are wiped
      from the process's environment at once. SIGTERM stops it; local workspaces go on.
      """
  )

  @Option(
    help: ArgumentHelp(
      "Settings in YAML; what is given here overrides them. See --settings.",
      valueName: "file"
    )
  )
  var config: String?

  @Option(help: ArgumentHelp("Where the plane keeps everything.", valueName: "dir"))
  var state: String?

  @Option(help: ArgumentHelp("For clients and daemons: mutual TLS.", valueName: "host:port"))
  var listen: String?

  @Option(help: ArgumentHelp("For enrollment and health.", valueName: "host:port"))
  var listenOpen: String?

  @Option(help: ArgumentHelp("For probes and metrics, plain HTTP.", valueName: "host:port"))
  var listenAdmin: String?

  @Option(
    help: ArgumentHelp(
      "A name or address it is reached by, for its certificate; repeat for others. The first is told.",
      valueName: "name"
    )
  )
  var host: [String] = []

  @Option(
    help: ArgumentHelp(
      "The transcript that the model 'script' plays; the default without a provider.",
      valueName: "file"
    )
  )
  var script: String?

  @Option(
    help: ArgumentHelp(
      "trace, debug, info, notice, warning, error or critical; SIGUSR1 switches to debug and back.",
      valueName: "level"
    )
  )
  var logLevel: String?

  @Option(
    help: ArgumentHelp(
      "text or json; auto: text where standard error is a terminal, else json.",
      valueName: "format"
    )
  )
  var logFormat: String?

  @Flag(help: "Print what a settings file may hold, and end.")
  var settings = false

  func run() async throws {
    if settings { return try DataOutput.line(SettingsReference.table) }
    var configuration = try configuration()
    do {
      // First of all: there are no other threads yet.
      configuration.models = try configuration.model.take()
      try await Plane.run(configuration)
    } catch {
      let remedy = configuration.remedy(for: error).map { "; \($0)" } ?? ""
      throw ClientError("the plane did not start: \(error)\(remedy)")
    }
  }

  /// The settings file's, overridden by what was given.
  private func configuration() throws -> PlaneConfiguration {
    var configuration = PlaneConfiguration(stateFolder: StateFolder.usual)
    if let config {
      do {
        try SettingsFile.read(config, into: &configuration)
      } catch let problem as SettingsFile.Problem {
        throw ClientError(problem.description, exitCode: 78)  // sysexits.h: EX_CONFIG
      }
    }
    if let state { configuration.stateFolder = state }
    if let script { configuration.model.script = script }
    if let listen { configuration.listen = try address(listen, "--listen") }
    if let listenOpen { configuration.listenOpen = try address(listenOpen, "--listen-open") }
    if let listenAdmin { configuration.listenAdmin = try address(listenAdmin, "--listen-admin") }
    if !host.isEmpty { configuration.hosts = host }
    do {
      try configuration.log.set(level: logLevel, format: logFormat)
    } catch {
      throw ClientError("\(error)", exitCode: 64)
    }
    return configuration
  }

  private func address(_ text: String, _ option: String) throws -> HostPort {
    guard let address = HostPort(text) else {
      throw ClientError("\(option) '\(text)' is not HOST:PORT", exitCode: 64)
    }
    return address
  }
}
