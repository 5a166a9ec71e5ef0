internal import ArgumentParser
internal import Client

/// How long a plane that is gone is looked for.
struct ReconnectOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How long to look for a plane that is gone, before giving up: 30s, 5m. 0: end with its "
        + "connection.",
      valueName: "time"
    )
  )
  var reconnect: TimeLimit.Span = .init(minutes: 2)

  /// Has an execution go on on another connection when the one there is was cut.
  func apply(to options: inout Execution.Options, _ client: ClientOptions) {
    guard reconnect.milliseconds > 0 else { return }
    options.patience = .milliseconds(Int64(clamping: reconnect.milliseconds))
    options.reconnect = { try await client.reconnect() }
  }
}
