internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct ChatFollow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "follow",
    abstract: "Watch a chat from its start to the end of its turn.",
    discussion: "Exits with 0 when it completed, else with 1. Ctrl-C leaves the chat alone."
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "The chat's id.")
  var chat: String

  func run() async throws {
    let end = try await client.withClient { client in
      try await ChatWatch(client, chat, asJSON: output.json).run()
    }
    Exit.leave(with: ChatWatch.exitCode(of: end))
  }
}

/// Shows a chat to the end of its turn.
struct ChatWatch: Sendable {
  private let client: PlaneClient
  private let chat: String
  private let asJSON: Bool

  init(_ client: PlaneClient, _ chat: String, asJSON: Bool) {
    self.client = client
    self.chat = chat
    self.asJSON = asJSON
  }

  func run() async throws -> Gatehouse_Plane_V1_TurnEnded {
    var printer = ChatPrinter(
      style: Talk.style,
      words: { try DataOutput.write($0) },
      talk: { Talk.say($0) }
    )
    var end: Gatehouse_Plane_V1_TurnEnded?
    try await client.stream(
      "/gatehouse.plane.v1.Chats/Follow",
      Gatehouse_Plane_V1_FollowChatRequest.with { $0.chatID = chat }
    ) { (update: Gatehouse_Plane_V1_FollowChatResponse) in
      if case .ended(let ended) = update.event { end = ended }
      if asJSON { try DataOutput.json(update) } else { try printer.show(update) }
    }
    guard let end else { throw ClientError("the plane ended without the turn's end") }
    return end
  }

  static func exitCode(of end: Gatehouse_Plane_V1_TurnEnded) -> Int32 {
    switch end.state {
    case .completed: 0
    case .interrupted: 130
    default: 1
    }
  }
}
