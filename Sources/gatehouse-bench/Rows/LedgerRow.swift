internal import FoundationEssentials
internal import Ledger

/// The ledger beside SQLite alone: events a second by 1, 64 and 1,024 writers at once, how long a lone
/// writer waits until its event is durable, and how long a large ledger takes to open.
struct LedgerRow: Row {
  /// What of it is measured.
  enum Part: String, CaseIterable { case all, rates, large }

  var part = Part.all
  /// Where the large ledger is kept, or found; nil: it is made anew and removed.
  var folder: String?

  private static let writers = [1, 64, 1_024]
  private static let bodyBytes = 200

  func measure(with options: MeasureOptions, in workbench: Workbench) async throws -> RowResult {
    var result = RowResult()
    for writers in part == .large ? [] : Self.writers {
      Progress.say("the ledger, \(writers) writers")
      result.figures += try await Self.rates(writers, options, in: workbench)
    }
    guard part != .rates else { return result }
    Progress.say("a ledger of \(options.ledgerEvents) events, to open")
    result.figures += try await large(options, in: workbench)
    return result
  }

  // MARK: Rates

  private static func rates(
    _ writers: Int,
    _ options: MeasureOptions,
    in workbench: Workbench
  ) async throws -> [Figure] {
    var (ours, plain): ([Double], [Double]) = ([], [])
    var (medians, slow): ([Double], [Double]) = ([], [])
    var shape: LedgerLoad.Shape?
    for round in 0..<options.rounds {
      let folder = "\(workbench.folder)/ledger-\(writers)-\(round)"
      // In turn, so that neither always comes first; the first run tells the other its batches.
      if let shape, !round.isMultiple(of: 2) { plain.append(try PlainLoad.run(shape, folder)) }
      let load = LedgerLoad(writers: writers, bodyBytes: bodyBytes, time: options.runTime)
      let run = try await load.run(in: folder)
      shape = run.shape
      ours.append(run.eventsPerSecond)
      if writers == 1 {
        medians.append(run.milliseconds(0.5))
        slow.append(run.milliseconds(0.99))
      }
      if round.isMultiple(of: 2) { plain.append(try PlainLoad.run(run.shape, folder)) }
      try remove(folder)
    }
    let setting = { (includes: String) in
      Setting(messageBytes: bodyBytes, links: writers, callsPerLink: 1, includes: includes)
    }
    var figures = [
      Figure(
        "ledger",
        "gatehouse",
        .eventsPerSecond,
        setting("hashed, sealed, durable (synchronous=FULL), each writer told"),
        ours
      ),
      Figure(
        "ledger",
        "SQLite alone",
        .eventsPerSecond,
        setting("one thread, the same rows in the same batches, the same settings of SQLite"),
        plain
      ),
    ]
    guard writers == 1 else { return figures }
    figures += [
      Figure(
        "ledger-durable-p50",
        "gatehouse",
        .milliseconds,
        setting("append to durable"),
        medians
      ),
      Figure("ledger-durable-p99", "gatehouse", .milliseconds, setting("append to durable"), slow),
    ]
    return figures
  }

  /// A ledger's folder, and what lies beside it.
  private static func remove(_ folder: String) throws {
    for path in [folder, folder + ".checkpoints", folder + ".plain.db"]
    where FileManager.default.fileExists(atPath: path) {
      try FileManager.default.removeItem(atPath: path)
    }
  }

  // MARK: A large one

  /// Fills the ledger up, as far as it is missing.
  private func fill(_ folder: String, _ options: MeasureOptions) async throws {
    let began = ContinuousClock.now
    let there = try await LedgerLoad.events(in: folder)
    guard there < options.ledgerEvents else { return }
    try await LedgerLoad.fill(
      folder,
      events: there..<options.ledgerEvents,
      bodyBytes: Self.bodyBytes
    )
    Progress.say("filled in \(ContinuousClock.now - began)")
  }

  private func large(
    _ options: MeasureOptions,
    in workbench: Workbench
  ) async throws -> [Figure] {
    let folder = folder ?? "\(workbench.folder)/ledger-large"
    try await fill(folder, options)
    let bodyBytes = Self.bodyBytes
    var times: [Double] = []
    for _ in 0..<options.rounds {
      let began = ContinuousClock.now
      let ledger = try LedgerLoad.open(folder)
      times.append((ContinuousClock.now - began) / .milliseconds(1))
      await ledger.close()
    }
    var slowest: [Double] = []
    for _ in 0..<options.rounds {
      let searches = try await LedgerLoad.search(folder, events: options.ledgerEvents)
      for (name, time) in searches { Progress.say("search by \(name): \(time) ms") }
      slowest.append(searches.map(\.time).max() ?? 0)
    }
    if self.folder == nil { try Self.remove(folder) }
    let setting = { (includes: String) in
      Setting(messageBytes: bodyBytes, links: 1, callsPerLink: 0, includes: includes)
    }
    return [
      Figure(
        "ledger-open",
        "gatehouse",
        .milliseconds,
        setting("\(options.ledgerEvents) events, closed in order, in the page cache"),
        times
      ),
      Figure(
        "ledger-search",
        "gatehouse",
        .milliseconds,
        setting("the slowest of nine searches in these, for the newest 100 with bodies"),
        slowest
      ),
    ]
  }
}
