internal import ArgumentParser
internal import Client
internal import Console
internal import Host
internal import Wire

struct TopCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top",
    abstract: "Watch links, calls and rates.",
    discussion: """
      Live on a terminal: q or Ctrl-C ends it. Elsewhere, and with --once, one page is printed; its
      rates are those of one interval. With --json, a line for each link and each call under way, and
      again after each interval unless --once is given.
      """
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Flag(help: "Print once and end.")
  var once = false

  @Option(help: ArgumentHelp("Seconds between two looks, 0.1 to 3600.", valueName: "seconds"))
  var interval = 2.0

  func validate() throws {
    guard (0.1...3600).contains(interval) else {
      throw ValidationError("--interval is 0.1 to 3600 seconds")
    }
  }

  func run() async throws {
    try await client.withClient { plane in
      if output.json {
        try await printJSON(plane)
      } else if once || !StandardStream.output.isTerminal || !StandardStream.input.isTerminal {
        try await printOnce(plane)
      } else {
        try await TopScreen(interval: .seconds(interval), plane: plane) {
          view(style: DataOutput.style, isLive: true)
        }.run()
      }
    }
  }

  private func view(style: Style, isLive: Bool) -> TopView {
    TopView(
      plane: client.plane ?? "",
      style: style,
      now: Int64(ThisProcess.unixMilliseconds),
      interval: isLive ? interval : nil
    )
  }

  private func printJSON(_ plane: PlaneClient) async throws {
    while true {
      let sample = try await TopSample.take(plane)
      for link in sample.links { try DataOutput.json(link) }
      for call in sample.calls { try DataOutput.json(call) }
      if once { return }
      try await Task.sleep(for: .seconds(interval))
    }
  }

  private func printOnce(_ plane: PlaneClient) async throws {
    let first = try await TopSample.take(plane)
    try await Task.sleep(for: .seconds(interval))
    let second = try await TopSample.take(plane)
    let lines = view(style: DataOutput.style, isLive: false).lines(second, before: first)
    try DataOutput.line(lines.joined(separator: "\n"))
  }
}
