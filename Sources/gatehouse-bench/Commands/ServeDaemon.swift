internal import ArgumentParser
internal import EventLoop
internal import Sandbox

/// `gatehouse-bench serve-daemon`: answers the broker's offers. Prints 0 when it is linked; ends when
/// its standard input does.
struct ServeDaemon: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve-daemon",
    abstract: "The daemon behind the broker that is measured.",
    shouldDisplay: false
  )

  @Option(help: "The folder with the keys and certificates.")
  var identities: String

  @Option(help: "The broker's port.")
  var port: UInt16

  @Option(help: "Link so many idle workspaces instead, numbered from --first.")
  var idle = 0

  @Option(help: "The number of the first idle workspace.")
  var first = 0

  func run() async throws {
    let loop = try EventLoop(name: "daemon")
    let plane = HostPort(host: "127.0.0.1", port: port)
    let identities = try Identities(in: identities)
    if idle == 0 {
      try await ScriptedDaemon.link(to: plane, identities.workspaceContext(), on: loop)
    }
    for number in first..<first + idle {
      let tls = try identities.workspaceContext(for: BenchWorkspaces.idle(number))
      try await ScriptedDaemon.link(to: plane, tls, on: loop)
    }
    StandardStream.output.write("0\n")
    try await MeasuredServer.waitForInputEnd()
  }
}
