internal import ArgumentParser
internal import Client
internal import Wire

struct ChatShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Print what happened in a chat by now."
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "The chat's id.")
  var chat: String

  func run() async throws {
    let watch = ChatWatch(client, chat, asJSON: output.json, showsPrompts: true)
    try await client.withClient { try await watch.show(on: $0) }
  }
}
