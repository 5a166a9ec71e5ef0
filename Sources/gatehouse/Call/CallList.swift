internal import ArgumentParser
internal import Client
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
    let response: Gatehouse_Tools_V1_ListResponse = try await client.withClient { client in
      try await client.call(
        "/gatehouse.tools.v1.Tools/List",
        Gatehouse_Tools_V1_ListRequest.with {
          $0.workspace = workspace
          $0.runningOnly = running
          $0.maxCalls = max
        }
      )
    }
    if output.json {
      for call in response.calls { try DataOutput.json(call) }
      return
    }
    try DataOutput.line(
      Table.text(
        ["CALL", "TOOL", "STATE", "END", "OUTPUT"],
        response.calls.map(Self.row),
        style: DataOutput.style
      )
    )
    if response.more { Talk.say("there are more; --max shows them") }
  }

  private static func row(_ call: Gatehouse_Tools_V1_CallInfo) -> [String] {
    let isEnded = call.state == .ended
    let end =
      !isEnded ? "" : call.outcome == .exited ? "\(call.code)" : Names.text(call.outcome)
    let bytes = call.totals.reduce(0) { $0 + $1.bytes }
    return [
      call.callID, Plain.text(call.tool), Names.text(call.state), end, Plain.size(bytes),
    ]
  }
}
