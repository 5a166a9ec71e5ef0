internal import Client
internal import Wire

/// The page of `top`: a head, the links, and the calls under way.
struct TopView {
  let plane: String
  let style: Style
  /// Milliseconds since 1970.
  let now: Int64
  /// Seconds between two pages, to be said; nil where there is one only.
  let interval: Double?

  /// The page's lines. With `rows` and `columns` no more and no wider than that.
  func lines(
    _ sample: TopSample,
    before: TopSample?,
    columns: Int? = nil,
    rows: Int? = nil
  ) -> [String] {
    let rates = sample.links.map { TopRates(of: $0, now: sample, before: before) }
    let total = rates.reduce(TopRates(), +)
    var lines = [head(sample, total, hasRates: before != nil), ""]
    lines += links(sample, rates, hasRates: before != nil)
    lines += [""] + calls(sample)
    if let columns { lines = lines.map { Self.cut($0, to: columns) } }
    guard let rows, lines.count > rows else { return lines }
    return lines.prefix(rows - 1) + [style.dim("… \(lines.count - rows + 1) more lines")]
  }

  private func head(_ sample: TopSample, _ total: TopRates, hasRates: Bool) -> String {
    let running = sample.links.reduce(0) { $0 + $1.runningCalls }
    let waiting = sample.links.reduce(0) { $0 + $1.queuedCalls + $1.unclaimedCalls }
    var parts = [
      style.bold(plane.isEmpty ? "gatehouse" : "gatehouse \(plane)"), "\(sample.links.count) links",
      "\(running) running",
      "\(waiting) waiting",
    ]
    if hasRates {
      parts += [
        "\(Self.rate(total.calls)) calls/s", "\(Self.bytes(total.output)) out",
        "\(Self.bytes(total.stdin)) in",
      ]
    }
    if let interval { parts.append(style.dim("every \(Self.rate(interval)) s; q quits")) }
    return parts.joined(separator: "  ")
  }

  private func links(
    _ sample: TopSample,
    _ rates: [TopRates],
    hasRates: Bool
  ) -> [String] {
    guard !sample.links.isEmpty else {
      return [style.dim("no links; see: gatehouse workspace list")]
    }
    let rows = zip(sample.links, rates).map { link, rate in
      [
        link.workspaceName, Ages.text(now - link.sinceUnixUs / 1000), "\(link.runningCalls)",
        "\(link.queuedCalls + link.unclaimedCalls)", "\(link.endedCalls)",
        hasRates ? Self.rate(rate.calls) : "–",
        Plain.size(link.outputBytes), hasRates ? Self.bytes(rate.output) : "–",
        Plain.text(link.daemonVersion),
      ]
    }
    return table(
      [
        "WORKSPACE", "UP", "RUNNING", "WAITING", "ENDED", "CALLS/S", "OUTPUT", "OUTPUT/S", "DAEMON",
      ],
      rows
    )
  }

  private func calls(_ sample: TopSample) -> [String] {
    guard !sample.calls.isEmpty else { return [style.dim("no calls under way")] }
    let names = Dictionary(
      sample.links.map { ($0.workspaceID, $0.workspaceName) },
      uniquingKeysWith: { first, _ in first }
    )
    let rows = sample.calls.map { call in
      [
        call.callID, names[call.workspaceID] ?? call.workspaceID, Plain.text(call.tool),
        Names.text(call.state), Ages.text(now - call.createdUnixUs / 1000),
        Plain.size(call.totals.reduce(0) { $0 + $1.bytes }),
      ]
    }
    let more = sample.hasMoreCalls ? [style.dim("… and more; see: gatehouse call list")] : []
    return table(["CALL", "WORKSPACE", "TOOL", "STATE", "AGE", "OUTPUT"], rows) + more
  }

  private func table(_ header: [String], _ rows: [[String]]) -> [String] {
    Table.text(header, rows, style: style).split(separator: "\n").map(String.init)
  }

  /// `0`, `0.4`, `12`.
  static func rate(_ value: Double) -> String {
    guard value < 10 else { return "\(Int(value.rounded()))" }
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }

  static func bytes(_ value: Double) -> String { Plain.size(UInt64(value.rounded())) + "/s" }

  /// At most so many characters; colours take no room.
  static func cut(_ line: String, to columns: Int) -> String {
    var (kept, room, isEscape, isCut) = ("", columns, false, false)
    for character in line {
      if character == "\u{1B}" { isEscape = true }
      if isEscape {
        kept.append(character)
        if character.isLetter { isEscape = false }
      } else if room > 0 {
        kept.append(character)
        room -= 1
      } else {
        isCut = true
      }
    }
    return isCut ? kept : line
  }
}
