internal import ArgumentParser
internal import Client
internal import Host
internal import SwiftProtobuf
internal import Wire

struct CallList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List calls, newest first."
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Option(help: "Only calls of this workspace.")
  var workspace = ""

  @Flag(help: "Only calls that have not ended.")
  var running = false

  @Option(help: "At most so many.")
  var max: UInt32 = 100

  func run() async throws {
    let (response, workspaces) = try await client.withClient { client in
      try await (list(client), output.json ? [] : client.workspaces())
    }
    if output.json {
      for call in response.calls { try DataOutput.json(call) }
      return
    }
    try DataOutput.line(
      Table.text(
        ["CALL", "WORKSPACE", "TOOL", "AGE", "STATE", "END", "OUTPUT", "COMMAND"],
        Self.rows(response.calls, workspaces, now: Int64(ThisProcess.unixMilliseconds)),
        style: DataOutput.style
      )
    )
    if response.more { Talk.say("there are more; --max shows them") }
  }

  private func list(_ client: PlaneClient) async throws -> Gatehouse_Tools_V1_ListResponse {
    try await client.call(
      "/gatehouse.tools.v1.Tools/List",
      Gatehouse_Tools_V1_ListRequest.with {
        $0.workspace = workspace
        $0.runningOnly = running
        $0.maxCalls = max
      }
    )
  }

  /// A row for each call, `now` in milliseconds since 1970. A workspace that is gone has its id in
  /// place of a name.
  static func rows(
    _ calls: [Gatehouse_Tools_V1_CallInfo],
    _ workspaces: [Gatehouse_Plane_V1_Workspace],
    now: Int64
  ) -> [[String]] {
    let names = Dictionary(workspaces.map { ($0.id, $0.name) }) { first, _ in first }
    return calls.map { row($0, names[$0.workspaceID] ?? $0.workspaceID, now) }
  }

  /// A script may have many lines; the first that says something tells them apart.
  private static func line(_ summary: String) -> String {
    let lines = summary.split(whereSeparator: \.isNewline)
    let first = Plain.text(lines.first.map(String.init) ?? "")
    let short = first.count > 60 ? first.prefix(60) + "…" : first
    return lines.count > 1 && !short.hasSuffix("…") ? short + "…" : short
  }

  private static func row(
    _ call: Gatehouse_Tools_V1_CallInfo,
    _ workspace: String,
    _ now: Int64
  ) -> [String] {
    let isEnded = call.state == .ended
    let end =
      !isEnded ? "" : call.outcome == .exited ? "\(call.code)" : Names.text(call.outcome)
    let bytes = call.totals.reduce(0) { $0 + $1.bytes }
    return [
      call.callID, workspace, Plain.text(call.tool), Ages.text(now - call.createdUnixUs / 1000),
      Names.text(call.state), end, Plain.size(bytes), Self.line(call.summary),
    ]
  }
}
