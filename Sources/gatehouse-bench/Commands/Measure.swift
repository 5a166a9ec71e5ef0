internal import ArgumentParser

/// `gatehouse-bench all`
struct MeasureAll: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "all",
    abstract: "All rows, one after the other."
  )

  @OptionGroup var options: MeasureOptions

  func run() async throws {
    try await options.report([
      EchoRow(), RelayRow(), LatencyRow(), StoppedReaderRow(), LinksRow(), DaemonRow(),
      LedgerRow(),
    ])
  }
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

/// `gatehouse-bench latency`
struct MeasureLatency: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latency",
    abstract: "What the broker adds to the way of bytes in an open call."
  )

  @OptionGroup var options: MeasureOptions

  func run() async throws { try await options.report([LatencyRow()]) }
}

/// `gatehouse-bench stopped-reader`
struct MeasureStoppedReader: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stopped-reader",
    abstract: "Small calls beside a reader that stopped with 1 GiB behind it."
  )

  @OptionGroup var options: MeasureOptions

  func run() async throws { try await options.report([StoppedReaderRow()]) }
}

/// `gatehouse-bench links`
struct MeasureLinks: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "links",
    abstract: "The plane's memory for each of 1,000 idle links."
  )

  @OptionGroup var options: MeasureOptions

  func run() async throws { try await options.report([LinksRow()]) }
}

extension LedgerRow.Part: ExpressibleByArgument {}

/// `gatehouse-bench ledger`
struct MeasureLedger: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger",
    abstract: "The ledger beside SQLite alone: events per second, time to durable, time to open."
  )

  @OptionGroup var options: MeasureOptions

  @Option(help: "all, rates (beside SQLite alone), or large (opening and searching --ledger-size).")
  var part = LedgerRow.Part.all

  @Option(help: "Keep the large ledger in this folder, or find it there.")
  var folder: String?

  func run() async throws {
    try await options.report([LedgerRow(part: part, folder: folder)])
  }
}
