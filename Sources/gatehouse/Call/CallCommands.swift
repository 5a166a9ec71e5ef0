internal import ArgumentParser

struct CallCommands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "call",
    abstract: "Tool calls: invoke, list, follow, diff, cancel.",
    subcommands: [
      CallInvoke.self, CallList.self, CallFollow.self, CallDiff.self, CallCancel.self,
    ]
  )
}
