internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct ChatStop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop",
    abstract: "Stop a chat's turn, and wait until nothing of it runs."
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "The chat's id.")
  var chat: String

  func run() async throws {
    let response = try await client.withClient { try await $0.stopChat(chat) }
    guard !output.json else { return try DataOutput.json(response) }
    let calls = Plain.count(response.callsCancelled, "call")
    Talk.say("\(chat): \(Names.text(response.state)), \(calls) cancelled")
  }
}

extension PlaneClient {
  /// Answers when nothing of the turn runs any more.
  func stopChat(_ chat: String) async throws -> Gatehouse_Plane_V1_StopChatResponse {
    try await call(
      "/gatehouse.plane.v1.Chats/Stop",
      Gatehouse_Plane_V1_StopChatRequest.with { $0.chatID = chat },
      timeout: nil
    )
  }
}
