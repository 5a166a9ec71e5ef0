internal import ArgumentParser
internal import Client
internal import Console
internal import Crypto
internal import EventLoop

/// The root command.
struct Gatehouse: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gatehouse",
    abstract: "A self-hosted control plane for coding agents.",
    discussion: """
      The agent, its keys and its policy stay in the plane; code is read, edited and run in
      workspaces. To see it work: gatehouse demo
      """,
    version: "gatehouse \(Version.current)",
    subcommands: [
      DemoCommand.self, PlaneCommand.self, RunCommand.self, ExecCommand.self, CallCommands.self,
      WorkspaceCommands.self, LinkCommands.self, ChatCommands.self, TopCommand.self,
      AuditCommands.self, BackupCommand.self, RestoreCommand.self, DoctorCommand.self,
    ]
  )
}

enum Version {
  static let current = "0.1.0"
}

@main
enum Program {
  static func main() async {
    StandardDescriptors.fill()
    CryptoLibrary.keepUntilTheEnd()
    Signals.ignoreBrokenPipes()
    do {
      var command = try Gatehouse.parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error as ClientError {
      Talk.complain(error.description)
      Exit.leave(with: error.exitCode)
    } catch let error as ConsoleError {
      if !error.isClosed { Talk.complain(error.description) }
      Exit.leave(with: error.isClosed ? 141 : 125)
    } catch {
      Gatehouse.exit(withError: error)
    }
  }
}
