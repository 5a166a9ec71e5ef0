internal import ArgumentParser
internal import Client
internal import EventLoop
internal import FoundationEssentials
internal import Host
internal import Plane
internal import Providers

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

  @Option(help: ArgumentHelp("Where the plane keeps everything.", valueName: "dir"))
  var state = PlaneCommand.defaultState

  @Option(help: ArgumentHelp("For clients and daemons: mutual TLS.", valueName: "host:port"))
  var listen = "127.0.0.1:7443"

  @Option(help: ArgumentHelp("For enrollment and health.", valueName: "host:port"))
  var listenOpen = "127.0.0.1:7444"

  @Option(help: ArgumentHelp("For probes and metrics, plain HTTP.", valueName: "host:port"))
  var listenAdmin = "127.0.0.1:7445"

  @Option(
    help: ArgumentHelp(
      "The transcript that the model 'script' plays; the default without a provider.",
      valueName: "file"
    )
  )
  var script: String?

  func run() async throws {
    do {
      // First of all: there are no other threads yet.
      var configuration = PlaneConfiguration(stateFolder: state)
      configuration.models = try models()
      configuration.listen = try address(listen, "--listen")
      configuration.listenOpen = try address(listenOpen, "--listen-open")
      configuration.listenAdmin = try address(listenAdmin, "--listen-admin")
      try await Plane.run(configuration)
    } catch let error as ClientError {
      throw error
    } catch {
      throw ClientError("the plane did not start: \(error)")
    }
  }

  private func models() throws -> PlaneModels {
    var models = try PlaneModels.takeFromEnvironment()
    guard let script else { return models }
    guard let bytes = FileManager.default.contents(atPath: script) else {
      throw ClientError("cannot read the transcript \(script)")
    }
    models.transcript = try Transcript(parsing: String(decoding: bytes, as: UTF8.self))
    return models
  }

  private func address(_ text: String, _ option: String) throws -> HostPort {
    guard let address = HostPort(text) else {
      throw ClientError("\(option) '\(text)' is not HOST:PORT", exitCode: 64)
    }
    return address
  }

  /// `$XDG_STATE_HOME/gatehouse`, else `~/.local/state/gatehouse`.
  static var defaultState: String {
    let home = ThisProcess.variable("HOME") ?? ""
    return (ThisProcess.variable("XDG_STATE_HOME") ?? "\(home)/.local/state") + "/gatehouse"
  }
}
