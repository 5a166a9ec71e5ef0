internal import ArgumentParser

/// What all rows are measured with.
struct MeasureOptions: ParsableArguments {
  @Option(help: "Runs of each contestant; the order alternates.")
  var pairs = 7

  @Option(help: "Bytes of a small message.")
  var messageBytes = 16

  @Option(help: "Connections of the load.")
  var links = 4

  @Option(help: "Calls at once on each connection.")
  var callsPerLink = 100

  @Option(name: .customLong("ledger-size"), help: "Events of the ledger that is opened.")
  var ledgerSize = 10_000_000

  @Flag(help: "Two short runs of each: shows that it works, not how fast.")
  var quick = false

  @Flag(help: "Print JSON, with keys that stay.")
  var json = false

  @Option(help: "The folder of the peers' sources and what was built of them.")
  var peers = "Tests/BenchPeers"

  @Option(help: "The daemon's static file, as 'make build' makes it.")
  var daemon = ".build-static/gatehouse-toold"

  func validate() throws {
    guard pairs > 0, links > 0, callsPerLink > 0 else {
      throw ValidationError("--pairs, --links and --calls-per-link must be above 0")
    }
    guard (1...100_000_000).contains(ledgerSize) else {
      throw ValidationError("--ledger-size must be 1 to 100000000")
    }
    guard (0...1_048_576).contains(messageBytes) else {
      throw ValidationError("--message-bytes must be at most 1048576")
    }
  }

  var ledgerEvents: Int { quick ? min(ledgerSize, 100_000) : ledgerSize }

  var rounds: Int { quick ? min(pairs, 2) : pairs }

  /// Of one streamed answer.
  var streamBytes: Int { (quick ? 64 : 1_024) * 1_048_576 }

  /// How long one run shall take.
  var runTime: Duration { quick ? .milliseconds(300) : .seconds(2) }

  /// Measures rows in a workbench of their own, then prints.
  func report(_ rows: [any Row]) async throws {
    let report = try await Workbench.with(peers: peers) { workbench in
      var report = Report()
      for row in rows { try await report.add(row.measure(with: self, in: workbench)) }
      return report
    }
    print(json ? try report.json : report.table)
  }
}
