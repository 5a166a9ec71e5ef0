internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct ChatSend: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "send",
    abstract: "Say something more in a chat, and watch its next turn.",
    discussion: """
      The agent knows all that was said before. Exits with 0 when the turn completed, 130 when it was
      stopped, else with 1. Ctrl-C leaves it running: gatehouse chat stop.
      """
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "The chat's id.")
  var chat: String

  @Argument(help: "What is to be done.")
  var prompt: String

  func run() async throws {
    let end = try await client.withClient { client in
      let sent: Gatehouse_Plane_V1_SendChatResponse = try await client.call(
        "/gatehouse.plane.v1.Chats/Send",
        Gatehouse_Plane_V1_SendChatRequest.with {
          $0.chatID = chat
          $0.prompt = prompt
        }
      )
      return try await ChatWatch(self.client, chat, asJSON: output.json)
        .run(on: client, after: sent.after)
    }
    Exit.leave(with: ChatWatch.exitCode(of: end))
  }
}
