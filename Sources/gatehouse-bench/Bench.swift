internal import ArgumentParser
internal import Crypto
internal import EventLoop
internal import Glibc
internal import Host

/// Measures Gatehouse beside its peers, on the machine it runs on.
@main struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gatehouse-bench",
    abstract: "Measures Gatehouse beside its peers, on this machine.",
    subcommands: [
      MeasureAll.self, MeasureEcho.self, MeasureRelay.self, MeasureLatency.self,
      MeasureStoppedReader.self, MeasureLinks.self, MeasureDaemon.self, MeasureLedger.self,
      ServeEcho.self, ServePlane.self, ServeDaemon.self,
    ]
  )

  static func main() async {
    StandardDescriptors.fill()
    CryptoLibrary.keepUntilTheEnd()
    do {
      // Before any other thread starts. The children end with this process.
      try StopSignals.onFirst {
        Workbench.removeFolder()
        Glibc.exit(130)
      }
    } catch {
      exit(withError: error)
    }
    await main(nil)
  }
}
