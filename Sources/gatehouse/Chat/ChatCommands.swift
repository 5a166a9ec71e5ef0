internal import ArgumentParser

struct ChatCommands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat",
    abstract: "Conversations with an agent: list, show, follow, diff, send, stop.",
    subcommands: [
      ChatList.self, ChatShow.self, ChatFollow.self, ChatDiff.self, ChatSend.self, ChatStop.self,
    ]
  )
}
