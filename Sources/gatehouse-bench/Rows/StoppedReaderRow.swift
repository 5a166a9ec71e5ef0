internal import RPC

/// Small calls, one after the other, beside a client that asked for 1 GiB of output and reads none.
struct StoppedReaderRow: Row {
  private static let calls = 2_000
  private static let bytes = 1 << 30

  func measure(with options: MeasureOptions, in workbench: Workbench) async throws -> RowResult {
    let plane = try await Contestant.gatehousePlane(in: workbench)
    let count = options.quick ? Self.calls / 10 : Self.calls
    var (idle, beside): ([RoundTrips], [RoundTrips]) = ([], [])
    try await Rounds.alternate([false, true], rounds: options.rounds) { hasReader in
      let trips = try await CheckedConnection.with(plane.server, workbench.identities) { stopped in
        if hasReader { try await Self.stop(reading: stopped) }
        return try await CheckedConnection.with(plane.server, workbench.identities) {
          try await Self.smallCalls(count, on: $0)
        }
      }
      if hasReader { beside.append(trips) } else { idle.append(trips) }
      Progress.say(
        "small calls \(hasReader ? "beside a stopped reader" : "alone"): p99 \(Report.number(trips.tail)) µs"
      )
    }
    return RowResult(
      figures: Self.figures("idle", "nothing beside", idle)
        + Self.figures("beside", "beside a call with 1 GiB of output that nobody reads", beside)
    )
  }

  /// Its output waits in the plane and in the daemon from now on.
  private static func stop(reading connection: Connection) async throws {
    let call = try await connection.openStream(PlaneMethods.invoke)
    try await call.send(RelayCheck.start(ScriptedDaemon.bytesTool, Array("\(bytes)".utf8)))
    // Accepted, started and the first bytes: the rest comes behind them.
    for _ in 0..<4 { _ = try await call.next() }
  }

  private static func smallCalls(_ count: Int, on connection: Connection) async throws -> RoundTrips
  {
    let request = Array(BytePattern.bytes(from: 1, count: 16))
    return try await RoundTrips.measure(count) { _ in
      try await RelayCheck.ask(request, on: connection)
    }
  }

  private static func figures(_ name: String, _ includes: String, _ trips: [RoundTrips]) -> [Figure]
  {
    let setting = Setting(
      messageBytes: 16,
      links: 1,
      callsPerLink: 1,
      includes: "a small call from its start to its exit; \(includes)"
    )
    return [
      Figure("stopped-reader", name, .medianMicroseconds, setting, trips.map(\.median)),
      Figure("stopped-reader", name, .tailMicroseconds, setting, trips.map(\.tail)),
    ]
  }
}
