internal import ArgumentParser

struct ChatCommands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat",
    abstract: "Conversations with an agent: list, follow, stop.",
    subcommands: [ChatList.self, ChatFollow.self, ChatStop.self]
  )
}
