/// Rows of text in columns, for people.
package enum Table {
  /// Each row has as many cells as the header.
  package static func text(_ header: [String], _ rows: [[String]], style: Style) -> String {
    let widths = header.indices.map { column in
      ([header] + rows).map { $0[column].count }.max() ?? 0
    }
    func line(_ cells: [String]) -> String {
      let padded = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
    return ([style.dim(line(header))] + rows.map(line)).joined(separator: "\n")
  }
}
