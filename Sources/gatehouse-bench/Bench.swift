internal import ArgumentParser

/// Measures Gatehouse beside its peers, on the machine it runs on.
@main struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gatehouse-bench",
    abstract: "Measures Gatehouse beside its peers, on this machine.",
    subcommands: [
      MeasureAll.self, MeasureEcho.self, MeasureRelay.self,
      ServeEcho.self, ServePlane.self, ServeDaemon.self,
    ]
  )
}
