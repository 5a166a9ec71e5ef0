internal import ArgumentParser
internal import Client
internal import Host
internal import SwiftProtobuf
internal import Wire

struct LinkShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Say all there is to know of a workspace's link."
  )

  @Argument(help: "The workspace, by name or id.")
  var workspace: String

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let response: Gatehouse_Plane_V1_ShowLinkResponse = try await client.withClient { client in
      try await client.call(
        "/gatehouse.plane.v1.Links/Show",
        Gatehouse_Plane_V1_ShowLinkRequest.with { $0.workspace = workspace }
      )
    }
    guard !output.json else { return try DataOutput.json(response.link) }
    let rows = Self.rows(response.link, Int64(ThisProcess.unixMilliseconds))
    let width = rows.map(\.name.count).max() ?? 0
    for row in rows {
      let name = row.name + String(repeating: " ", count: width - row.name.count)
      try DataOutput.line(DataOutput.style.dim(name) + "  " + Plain.text(row.text))
    }
  }

  private static func rows(
    _ link: Gatehouse_Plane_V1_Link,
    _ now: Int64
  ) -> [(name: String, text: String)] {
    let instance = link.instanceID.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    let left = link.certificateExpiresUnixUs / 1000 - now
    return [
      ("workspace", "\(link.workspaceName)  \(link.workspaceID)"),
      ("epoch", "\(link.sessionEpoch)"),
      ("instance", instance.joined()),
      ("daemon", link.daemonVersion),
      ("from", link.peerAddress),
      ("up", Ages.text(now - link.sinceUnixUs / 1000)),
      (
        "certificate",
        link.certificateExpiresUnixUs == 0 ? "none" : "good for \(Ages.text(left))"
      ),
      (
        "calls",
        "\(link.runningCalls) running, \(link.queuedCalls) queued, "
          + "\(link.unclaimedCalls) unclaimed, \(link.endedCalls) ended; "
          + "at most \(link.maxCalls) at once"
      ),
      (
        "bytes",
        "\(Plain.size(link.outputBytes)) output, \(Plain.size(link.stdinBytes)) input; "
          + "\(Plain.size(link.windowBytes)) of windows promised"
      ),
      ("tools", link.tools.sorted().joined(separator: " ")),
    ]
  }
}
