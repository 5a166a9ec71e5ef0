internal import ArgumentParser

struct CallCommands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "call",
    abstract: "Tool calls: invoke, list, follow, cancel.",
    subcommands: [CallInvoke.self, CallList.self, CallFollow.self, CallCancel.self]
  )
}
