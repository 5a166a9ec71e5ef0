internal import ArgumentParser
internal import Client
internal import Wire

struct CallFollow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "follow",
    abstract: "Read a call's output from its start, or from where you are, to its end.",
    discussion: """
      Exits as 'gatehouse exec' would. Ctrl-C leaves the call alone. A plane that goes away is waited for,
      for two minutes, and nothing is shown twice.
      """
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "The call's id.")
  var call: String

  @Option(
    help: ArgumentHelp(
      "Where to begin in an output, as stdout=1024; stderr or pty likewise; repeat for others.",
      valueName: "stream=offset"
    )
  )
  var from: [StreamPosition] = []

  func run() async throws {
    let positions = Dictionary(from.map { ($0.stream, $0.offset) }) { _, last in last }
    let end = try await CallWatch(client, call, asJSON: output.json).run(from: positions)
    let status = ExitStatus(end)
    if !status.message.isEmpty { Talk.complain(status.message) }
    Exit.leave(with: status.code)
  }
}

/// `stdout=1024`: an output, and the first byte that is wanted of it.
struct StreamPosition: ExpressibleByArgument {
  let stream: Gatehouse_Tools_V1_Stream
  let offset: UInt64

  init?(argument: String) {
    let parts = argument.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, let offset = UInt64(parts[1]), offset <= UInt64(Int64.max) else {
      return nil
    }
    switch parts[0] {
    case "stdout": stream = .stdout
    case "stderr": stream = .stderr
    case "pty": stream = .pty
    default: return nil
    }
    self.offset = offset
  }
}
