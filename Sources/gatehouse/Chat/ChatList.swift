internal import ArgumentParser
internal import Client
internal import Wire

struct ChatList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List your chats, newest first."
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let response: Gatehouse_Plane_V1_ListChatsResponse = try await client.withClient {
      try await $0.call("/gatehouse.plane.v1.Chats/List", Gatehouse_Plane_V1_ListChatsRequest())
    }
    guard !output.json else {
      for chat in response.chats { try DataOutput.json(chat) }
      return
    }
    try DataOutput.line(
      Table.text(
        ["CHAT", "STATE", "TURNS", "MODEL", "PROMPT"],
        response.chats.map {
          [$0.chatID, Names.text($0.state), "\($0.turns)", $0.model, Self.line($0.prompt)]
        },
        style: DataOutput.style
      )
    )
  }

  private static func line(_ prompt: String) -> String {
    String(Plain.text(prompt).map { $0.isNewline ? " " : $0 }.prefix(60))
  }
}
