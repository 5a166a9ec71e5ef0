internal import EventLoop
internal import FoundationEssentials

/// What the plane holds for daemons that are linked and idle: real links, each with a certificate and
/// a workspace of its own.
struct LinksRow: Row {
  private static let links = 1_000
  /// Linked before the first reading, so that what all links share is not counted.
  private static let before = 100

  func measure(with options: MeasureOptions, in workbench: Workbench) async throws -> RowResult {
    var samples: [Double] = []
    for _ in 0..<min(options.rounds, 3) {
      let plane = try await Contestant.gatehousePlane(in: workbench)
      try await link(Self.before, from: 0, to: plane, workbench)
      let least = try ResidentMemory.anonymousKibibytes(of: plane.process.id)
      try await link(Self.links, from: Self.before, to: plane, workbench)
      let most = try ResidentMemory.anonymousKibibytes(of: plane.process.id)
      samples.append(Double(most - least) / Double(Self.links))
      Progress.say("\(Report.number(samples.last ?? 0)) KiB for each idle link")
      try await workbench.end(plane.process)
    }
    let setting = Setting(
      messageBytes: 0,
      links: Self.links,
      callsPerLink: 0,
      includes: """
        growth of the plane's anonymous memory (RssAnon) for each of 1,000 links beyond 100: \
        socket, TLS, HTTP/2, Connect stream, the broker's records
        """
    )
    return RowResult(figures: [Figure("idle-link", "gatehouse", .kibibytes, setting, samples)])
  }

  private func link(
    _ count: Int,
    from first: Int,
    to plane: Contestant,
    _ workbench: Workbench
  ) async throws {
    _ = try await workbench.serve(
      Workbench.ownProgram(),
      [
        "serve-daemon", "--port", "\(plane.server.port)", "--identities",
        workbench.identities.folder, "--idle", "\(count)", "--first", "\(first)",
      ]
    )
    // What a handshake took is given back when a link has been idle for a moment.
    try await Task.sleep(for: .seconds(2))
  }
}
