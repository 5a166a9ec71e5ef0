internal import ArgumentParser
internal import Client
internal import Console
internal import FoundationEssentials
internal import SwiftProtobuf
internal import Wire

struct ExecCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec",
    abstract: "Run a command in a workspace.",
    discussion: """
      Standard input goes to the command, its two outputs come here byte by byte. Exits with the
      command's code; 64 wrong usage, 124 deadline, 125 failure of ours, or no such --cwd,
      126 not executable, 127 not found, 128+n signal, 130 interrupted, 141 nobody reads the output. With --json, standard output has each message of the call as a
      line: output in base64, and the end.
      """
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "The workspace's name or id.")
  var workspace: String

  @Flag(name: [.long, .customShort("t")], help: "Give the command a terminal: this one.")
  var tty = false

  @Option(
    help: ArgumentHelp("Folder to run in, relative to the workspace's root.", valueName: "dir")
  )
  var cwd = ""

  @Option(
    name: [.long, .customShort("e")],
    help: ArgumentHelp("Add to the command's environment.", valueName: "name=value")
  )
  var env: [String] = []

  @OptionGroup var limit: TimeLimit
  @OptionGroup var reconnecting: ReconnectOption

  @Argument(parsing: .postTerminator, help: "Program and arguments.")
  var argv: [String]

  func validate() throws {
    guard !argv.isEmpty else {
      throw ValidationError("no command; write it after '--': gatehouse exec W -- ls -l")
    }
    guard !tty || !output.json else {
      throw ValidationError("--tty hands bytes to a terminal as they are; leave --json out")
    }
    if let bad = env.first(where: { !$0.contains("=") }) {
      throw ValidationError("--env '\(bad)' is not NAME=VALUE")
    }
  }

  func run() async throws {
    guard !tty || StandardStream.input.isTerminal else {
      throw ClientError(
        "--tty gives the command this terminal, and standard input is none; leave --tty out",
        exitCode: 64
      )
    }
    let exit = try await client.withClient(failure: 125) { client in
      // From here on there is something to end; before, a signal does what it does to any program.
      let signals = Signals.watch([
        Signals.interrupt, Signals.terminate, Signals.hangUp, Signals.windowChanged,
      ])
      let mode = tty ? try Terminal.makeRaw() : nil
      defer { mode?.restore() }
      return try await Execution(client, start(), options()).run(signals: signals)
    }
    let status = ExitStatus(exit)
    if !status.message.isEmpty { Talk.complain(status.message) }
    Exit.leave(with: status.code)
  }

  private func options() -> Execution.Options {
    var options = Execution.Options()
    options.sendsInput = true
    reconnecting.apply(to: &options, client)
    options.isTerminal = tty
    options.talk = { Talk.say(Talk.style.dim("gatehouse: \($0)")) }
    if output.json { options.printJSON() }
    return options
  }

  private func start() throws -> Gatehouse_Tools_V1_InvokeStart {
    var request = Gatehouse_Tools_V1_ExecRequest()
    request.argv = argv.map { Data($0.utf8) }
    request.cwd = Data(cwd.utf8)
    request.stdin = true
    request.environment = env.map { entry in
      var variable = Gatehouse_Tools_V1_EnvironmentVariable()
      let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      variable.name = String(parts[0])
      variable.value = parts.count > 1 ? String(parts[1]) : ""
      return variable
    }
    if tty {
      request.terminal.columns = UInt32(Terminal.size?.columns ?? 80)
      request.terminal.rows = UInt32(Terminal.size?.rows ?? 24)
    }
    var start = Gatehouse_Tools_V1_InvokeStart()
    start.workspace = workspace
    start.tool = "process.exec"
    start.request = try request.serializedData()
    start.timeoutMs = limit.milliseconds
    start.acknowledges = true
    return start
  }
}
