internal import FoundationEssentials

/// All that was measured, to print.
struct Report {
  private(set) var figures: [Figure] = []
  private(set) var skipped: [Skipped] = []

  mutating func add(_ result: RowResult) {
    figures += result.figures
    skipped += result.skipped
  }

  /// For programs: keys stay, new ones may come.
  var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      let document = Document(figures: figures.map(Entry.init), skipped: skipped)
      return String(decoding: try encoder.encode(document), as: UTF8.self)
    }
  }

  private struct Document: Encodable {
    let figures: [Entry]
    let skipped: [Skipped]
  }

  private struct Entry: Encodable {
    let row: String
    let contestant: String
    let quantity: Quantity
    let median: Double
    let lower_quartile: Double
    let upper_quartile: Double
    let samples: [Double]
    let message_bytes: Int
    let links: Int
    let calls_per_link: Int
    let includes: String

    init(_ figure: Figure) {
      let middle = Quartiles(figure.samples)
      (row, contestant, quantity) = (figure.row, figure.contestant, figure.quantity)
      (median, lower_quartile, upper_quartile) = (middle.median, middle.lower, middle.upper)
      samples = figure.samples
      message_bytes = figure.setting.messageBytes
      links = figure.setting.links
      calls_per_link = figure.setting.callsPerLink
      includes = figure.setting.includes
    }
  }
}
