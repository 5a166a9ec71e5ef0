/// One row of the table of what Gatehouse must reach.
protocol Row: Sendable {
  func measure(with options: MeasureOptions, in workbench: Workbench) async throws -> RowResult
}

/// What a row came to.
struct RowResult {
  var figures: [Figure] = []
  var skipped: [Skipped] = []
}

/// Turns of the contestants.
enum Rounds {
  /// Runs each contestant once a round, every other round in reverse order: what changes on the
  /// machine meanwhile meets all alike.
  static func alternate<Element>(
    _ contestants: [Element],
    rounds: Int,
    _ run: (Element) async throws -> Void
  ) async throws {
    for round in 0..<rounds {
      for contestant in round.isMultiple(of: 2) ? contestants : contestants.reversed() {
        try await run(contestant)
      }
    }
  }
}
