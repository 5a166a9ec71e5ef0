internal import ArgumentParser
internal import Client
internal import Wire

struct ChatFollow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "follow",
    abstract: "Watch a chat from its start to the end of its turn.",
    discussion: """
      Goes on by itself when the connection is cut or the plane restarts. Exits with 0 when the turn
      completed, 130 when it was stopped, else with 1. Ctrl-C leaves the chat alone.
      """
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "The chat's id.")
  var chat: String

  func run() async throws {
    let watch = ChatWatch(client, chat, asJSON: output.json, showsPrompts: true)
    let end = try await client.withClient { try await watch.run(on: $0) }
    Exit.leave(with: ChatWatch.exitCode(of: end))
  }
}
