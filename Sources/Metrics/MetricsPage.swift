/// What is measured, as Prometheus reads it: text format 0.0.4.
///
///     # HELP gatehouse_calls_ended_total Calls that have ended, by outcome.
///     # TYPE gatehouse_calls_ended_total counter
///     gatehouse_calls_ended_total{outcome="exited"} 12
///
/// Samples of one name stand together, wherever they came from; families in the order of their first.
package struct MetricsPage: Sendable {
  package typealias Labels = KeyValuePairs<String, String>

  private var families: [Family] = []
  private var places: [String: Int] = [:]

  private struct Family {
    let head: String
    var samples = ""
  }

  package init() {}

  /// What only grows. Its name ends in `_total`.
  package mutating func counter(
    _ name: String,
    _ help: String,
    _ value: some BinaryInteger,
    _ labels: Labels = [:]
  ) {
    precondition(name.hasSuffix("_total"), "the counter '\(name)' does not end in _total")
    add(name, "counter", help, Self.line(name, labels, "\(value)"))
  }

  /// A counter that is not a whole number: seconds.
  package mutating func counter(_ name: String, _ help: String, seconds: Double) {
    add(name, "counter", help, Self.line(name, [:], Self.text(seconds)))
  }

  /// What goes up and down.
  package mutating func gauge(
    _ name: String,
    _ help: String,
    _ value: some BinaryInteger,
    _ labels: Labels = [:]
  ) {
    add(name, "gauge", help, Self.line(name, labels, "\(value)"))
  }

  /// A distribution of durations. Its name ends in `_seconds`.
  package mutating func histogram(
    _ name: String,
    _ help: String,
    _ durations: DurationHistogram
  ) {
    var lines = ""
    var sum: UInt64 = 0
    for (bound, count) in zip(durations.bounds, durations.counts) {
      sum += count
      lines += Self.line("\(name)_bucket", ["le": bound.map(Self.text) ?? "+Inf"], "\(sum)")
    }
    lines += Self.line("\(name)_sum", [:], Self.text(durations.seconds))
    lines += Self.line("\(name)_count", [:], "\(sum)")
    add(name, "histogram", help, lines)
  }

  package var text: String { families.reduce("") { $0 + $1.head + $1.samples } }

  private mutating func add(_ name: String, _ kind: String, _ help: String, _ lines: String) {
    if let place = places[name] {
      families[place].samples += lines
      return
    }
    places[name] = families.count
    let help = Self.escaped(help, quotes: false)
    families.append(
      Family(head: "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n", samples: lines)
    )
  }

  private static func line(_ name: String, _ labels: Labels, _ value: String) -> String {
    guard !labels.isEmpty else { return "\(name) \(value)\n" }
    let pairs = labels.map { "\($0)=\"\(escaped($1, quotes: true))\"" }
    return "\(name){\(pairs.joined(separator: ","))} \(value)\n"
  }

  /// Backslash and line feed everywhere, the quote in a label's value only.
  private static func escaped(_ text: String, quotes: Bool) -> String {
    var escaped = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\"" where quotes: escaped += "\\\""
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }

  private static func text(_ value: Double) -> String { "\(value)" }
}
