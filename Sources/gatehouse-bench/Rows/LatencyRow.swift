/// What the broker adds to the way of bytes in an open call: round trips through it, and beside them
/// round trips to the echo server without anything between; each with an idle plane, and with one at
/// half of its load.
struct LatencyRow: Row {
  private static let row = "latency"
  private static let trips = 5_000

  func measure(with options: MeasureOptions, in workbench: Workbench) async throws -> RowResult {
    let plane = try await Contestant.gatehousePlane(in: workbench)
    let echo = try await Contestant.gatehouseEcho(in: workbench)
    let load = try await HalfLoad(options, plane, in: workbench)
    let count = options.quick ? Self.trips / 10 : Self.trips
    var samples: [Case: [RoundTrips]] = [:]
    try await Rounds.alternate(Case.allCases, rounds: options.rounds) { one in
      let trips = try await load.run(if: one.isLoaded) {
        try await one.measure(count, plane, echo, workbench.identities)
      }
      samples[one, default: []].append(trips)
      Progress.say("\(one.rawValue): \(Report.number(trips.median)) µs")
    }
    var result = RowResult()
    for one in Case.allCases { result.figures += one.figures(samples[one] ?? [], options, load) }
    for isLoaded in [false, true] { result.figures += added(samples, isLoaded, options) }
    return result
  }

  /// Half of the difference of the round trips: a byte passes the broker once each way.
  private func added(
    _ samples: [Case: [RoundTrips]],
    _ isLoaded: Bool,
    _ options: MeasureOptions
  ) -> [Figure] {
    let relayed = samples[isLoaded ? .relayedLoaded : .relayed] ?? []
    let direct = samples[isLoaded ? .directLoaded : .direct] ?? []
    let setting = Case.setting(
      options,
      "half the difference of the quantiles of relayed and direct round trips"
    )
    let name = isLoaded ? "added, half load" : "added, idle"
    return [
      Figure(
        Self.row,
        name,
        .medianMicroseconds,
        setting,
        zip(relayed, direct).map { ($0.median - $1.median) / 2 }
      ),
      Figure(
        Self.row,
        name,
        .tailMicroseconds,
        setting,
        zip(relayed, direct).map { ($0.tail - $1.tail) / 2 }
      ),
    ]
  }

  private enum Case: String, CaseIterable {
    case direct = "direct, idle"
    case relayed = "relayed, idle"
    case directLoaded = "direct, half load"
    case relayedLoaded = "relayed, half load"

    var isLoaded: Bool { self == .directLoaded || self == .relayedLoaded }
    private var isRelayed: Bool { self == .relayed || self == .relayedLoaded }

    func measure(
      _ count: Int,
      _ plane: Contestant,
      _ echo: Contestant,
      _ identities: Identities
    ) async throws -> RoundTrips {
      let server = isRelayed ? plane.server : echo.server
      return try await CheckedConnection.with(server, identities) { connection in
        isRelayed
          ? try await Ping.relayed(count, on: connection)
          : try await Ping.direct(count, on: connection)
      }
    }

    func figures(_ trips: [RoundTrips], _ options: MeasureOptions, _ load: HalfLoad) -> [Figure] {
      let state = isLoaded ? "beside \(load.perSecond) small calls a second" : "nothing beside"
      let setting = Self.setting(
        options,
        isRelayed
          ? "client, plane, daemon and back on an open call; \(state)"
          : "client, echo server and back; \(state)"
      )
      return [
        Figure(LatencyRow.row, rawValue, .medianMicroseconds, setting, trips.map(\.median)),
        Figure(LatencyRow.row, rawValue, .tailMicroseconds, setting, trips.map(\.tail)),
      ]
    }

    static func setting(_ options: MeasureOptions, _ includes: String) -> Setting {
      Setting(messageBytes: Ping.size, links: 1, callsPerLink: 1, includes: includes)
    }
  }
}

/// Small calls through the plane at half of the rate that it can do at most.
struct HalfLoad {
  /// Of all links.
  let perSecond: Int
  private let h2load: H2Load
  private let work: H2Load.Work
  private let plane: Contestant

  init(_ options: MeasureOptions, _ plane: Contestant, in workbench: Workbench) async throws {
    h2load = try await H2Load(in: workbench)
    let assignment = try await RelayWork(options: options, workbench: workbench).calls(plane)
    let most = try await assignment.run(h2load, requests: options.quick ? 4_000 : 40_000)
    work = assignment.work
    self.plane = plane
    perSecond = Int(most.requestsPerSecond / 2)
  }

  /// Runs `body` with the load beside it, and ends the load.
  func run<Result: Sendable>(
    if isWanted: Bool,
    _ body: () async throws -> Result
  ) async throws -> Result {
    guard isWanted else { return try await body() }
    let load = try await h2load.start(work, perSecond: perSecond, to: plane.server)
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    try await h2load.end(load)
    return try result.get()
  }
}
