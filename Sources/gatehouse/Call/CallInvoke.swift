internal import ArgumentParser
internal import Client
internal import Console
internal import Wire

struct CallInvoke: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "invoke",
    abstract: "Run any tool, with its request in JSON.",
    discussion: """
      gatehouse call invoke w1 files.stat --request '{"path": "TWFrZWZpbGU="}'
      The JSON is protobuf's: bytes are base64, here that of Makefile. A tool's answer is printed as JSON; a command's
      output as it comes. With --json, each message of the call is a line. Exits as 'gatehouse exec' would.
      """
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "The workspace's name or id.")
  var workspace: String

  @Argument(help: "The tool's name, e.g. files.read.")
  var tool: String

  @Option(help: ArgumentHelp("The tool's request message as JSON.", valueName: "json"))
  var request = "{}"

  @OptionGroup var limit: TimeLimit
  @OptionGroup var reconnecting: ReconnectOption

  @Option(
    help: ArgumentHelp("The same key and request give the same call, once.", valueName: "key")
  )
  var idempotencyKey = ""

  func run() async throws {
    var start = Gatehouse_Tools_V1_InvokeStart()
    start.workspace = workspace
    start.tool = tool
    start.request = try ToolMessages.request(tool, json: request)
    start.timeoutMs = limit.milliseconds
    start.idempotencyKey = idempotencyKey
    start.acknowledges = true
    let exit = try await client.withClient(failure: 125) { [start] client in
      let signals = Signals.watch([Signals.interrupt, Signals.terminate, Signals.hangUp])
      return try await Execution(client, start, options()).run(signals: signals)
    }
    if !output.json, exit.outcome == .exited, exit.code == 0,
      let json = try ToolMessages.response(tool, exit.response)
    {
      try DataOutput.line(json)
    }
    let status = ExitStatus(exit)
    if !status.message.isEmpty { Talk.complain(status.message) }
    Exit.leave(with: status.code)
  }

  private func options() -> Execution.Options {
    var options = Execution.Options()
    options.talk = { Talk.say(Talk.style.dim("gatehouse: \($0)")) }
    reconnecting.apply(to: &options, client)
    if output.json { options.printJSON() }
    return options
  }
}
