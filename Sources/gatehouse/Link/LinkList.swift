internal import ArgumentParser
internal import Client
internal import Host
internal import Wire

struct LinkList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the live links of your workspaces."
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let links = try await client.withClient { try await $0.links() }
    guard !output.json else {
      for link in links { try DataOutput.json(link) }
      return
    }
    let now = Int64(ThisProcess.unixMilliseconds)
    try DataOutput.line(
      Table.text(
        ["WORKSPACE", "EPOCH", "UP", "RUNNING", "QUEUED", "ENDED", "OUTPUT", "DAEMON", "FROM"],
        links.map { Self.row($0, now) },
        style: DataOutput.style
      )
    )
  }

  private static func row(_ link: Gatehouse_Plane_V1_Link, _ now: Int64) -> [String] {
    [
      link.workspaceName, "\(link.sessionEpoch)", Ages.text(now - link.sinceUnixUs / 1000),
      "\(link.runningCalls)", "\(link.queuedCalls + link.unclaimedCalls)", "\(link.endedCalls)",
      Plain.size(link.outputBytes), Plain.text(link.daemonVersion), link.peerAddress,
    ]
  }
}

/// Spans of time, for people.
enum Ages {
  /// `12s`, `3m`, `5h`, `2d`: the largest unit that fits. Below zero, from clocks that differ: `0s`.
  static func text(_ milliseconds: Int64) -> String {
    let seconds = max(0, milliseconds / 1000)
    for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60)] as [(String, Int64)]
    where seconds >= 2 * size {
      return "\(seconds / size)\(unit)"
    }
    return "\(seconds)s"
  }
}
