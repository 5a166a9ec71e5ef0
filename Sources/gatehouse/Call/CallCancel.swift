internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct CallCancel: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel",
    abstract: "Cancel a call, and wait until it has ended."
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "The call's id.")
  var call: String

  func run() async throws {
    let response: Gatehouse_Tools_V1_CancelResponse = try await client.withClient { client in
      try await client.call(
        "/gatehouse.tools.v1.Tools/Cancel",
        Gatehouse_Tools_V1_CancelRequest.with { $0.callID = call },
        timeout: nil
      )
    }
    guard !output.json else { return try DataOutput.json(response) }
    let end = Names.text(response.exit.outcome)
    Talk.say(response.alreadyEnded ? "\(call) had ended before: \(end)" : "\(call): \(end)")
  }
}
