internal import ArgumentParser

/// gRPC's interop test service and its client, so that other implementations can judge ours. Built
/// with the tests, not installed.
@main struct Interop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gatehouse-interop",
    abstract: "gRPC's interop test service, and its cases as a client.",
    subcommands: [InteropServer.self, InteropClient.self]
  )
}
