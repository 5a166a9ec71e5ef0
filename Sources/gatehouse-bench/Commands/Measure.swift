internal import ArgumentParser

/// `gatehouse-bench all`
struct MeasureAll: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "all",
    abstract: "All rows, one after the other."
  )

  @OptionGroup var options: MeasureOptions

  func run() async throws { try await options.report([EchoRow(), RelayRow(), DaemonRow()]) }
}

/// `gatehouse-bench echo`
struct MeasureEcho: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "echo",
    abstract: "Unary gRPC echo: requests per second, and CPU per request of the server."
  )

  @OptionGroup var options: MeasureOptions

  func run() async throws { try await options.report([EchoRow()]) }
}

/// `gatehouse-bench relay`
struct MeasureRelay: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relay",
    abstract: "Calls and bytes through the broker: CPU per call and per GiB of the plane."
  )

  @OptionGroup var options: MeasureOptions

  func run() async throws { try await options.report([RelayRow()]) }
}

/// `gatehouse-bench daemon`
struct MeasureDaemon: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "daemon",
    abstract: "The daemon's static file: its size, its memory while idle, its start."
  )

  @OptionGroup var options: MeasureOptions

  func run() async throws { try await options.report([DaemonRow()]) }
}
