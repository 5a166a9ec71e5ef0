internal import ArgumentParser
internal import EventLoop
internal import Host
internal import RPC

/// `gatehouse-interop client CASE`: exit code 0 when the server passed.
struct InteropClient: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "client",
    abstract: "Runs a case, or 'all' of them, against a server.",
    discussion: "Cases: " + InteropCase.allCases.map(\.rawValue).joined(separator: " ")
  )

  @Argument(help: "The case's name, or 'all'.")
  var name: String

  @Option(help: "HOST:PORT of the server.")
  var connect: HostPort

  @Option(help: "Whom the server's certificate must be for, if not HOST.")
  var serverName: String?

  @Flag(help: "For servers that cannot see whether a message came compressed.")
  var noProbe = false

  @OptionGroup var security: SecurityOptions

  func run() async throws {
    let loop = try EventLoop(name: "interop")
    defer { loop.stop() }
    let tls = try security.clientContext()
    let makeConnection = { @Sendable [connect, serverName] in
      try await Connection.connect(
        to: connect,
        tls: tls,
        serverName: serverName,
        on: loop,
        limits: .interop
      )
    }
    var failed = false
    for each in try cases() {
      do {
        try await each.run(makeConnection, probes: !noProbe)
        try ThisProcess.say("\(each.rawValue): passed\n")
      } catch {
        failed = true
        try ThisProcess.say("\(each.rawValue): failed: \(error)\n")
      }
    }
    if failed { throw ExitCode.failure }
  }

  private func cases() throws -> [InteropCase] {
    if name == "all" { return InteropCase.allCases }
    guard let one = InteropCase(rawValue: name) else {
      let known = InteropCase.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("there is no case '\(name)'; there are: all, \(known)")
    }
    return [one]
  }
}
