extension Report {
  /// For people: one line a figure, what it includes below.
  var table: String {
    var lines = [["row", "contestant", "figure", "median", "middle half", "message", "calls"]]
    for figure in figures { lines.append(cells(of: figure)) }
    var text = Self.align(lines)
    text += "\ncalls: links × calls at once on each; middle half: lower to upper quartile\n"
    for line in included { text += line + "\n" }
    for skip in skipped { text += "\(skip.row): no \(skip.contestant): \(skip.reason)\n" }
    return text
  }

  private func cells(of figure: Figure) -> [String] {
    let middle = Quartiles(figure.samples)
    let setting = figure.setting
    return [
      figure.row, figure.contestant, figure.quantity.label, Self.number(middle.median),
      "\(Self.number(middle.lower)) – \(Self.number(middle.upper))",
      "\(setting.messageBytes) B", "\(setting.links) × \(setting.callsPerLink)",
    ]
  }

  /// What each contestant's figures include, once each.
  private var included: [String] {
    var lines: [String] = []
    for figure in figures {
      let line = "\(figure.row), \(figure.contestant): \(figure.setting.includes)"
      if !lines.contains(line) { lines.append(line) }
    }
    return lines
  }

  /// Columns as wide as their widest cell, two spaces between.
  static func align(_ lines: [[String]]) -> String {
    let columns = lines.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      lines.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    var text = ""
    for line in lines {
      var row = ""
      for (cell, width) in zip(line, widths) {
        row += cell + String(repeating: " ", count: width - cell.count + 2)
      }
      while row.last == " " { row.removeLast() }
      text += row + "\n"
    }
    return text
  }

  /// Three digits or more: `312,450`, `3.14`.
  static func number(_ value: Double) -> String {
    guard value < 100 else { return grouped(Int(value.rounded())) }
    let hundredths = Int((value * 100).rounded())
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }

  private static func grouped(_ value: Int) -> String {
    guard value >= 1_000 else { return "\(value)" }
    let rest = "\(value % 1_000)"
    return grouped(value / 1_000) + "," + String(repeating: "0", count: 3 - rest.count) + rest
  }
}
