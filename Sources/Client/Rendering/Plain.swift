/// Text of others, fit for a person's terminal.
package enum Plain {
  /// Without control characters other than tab and line feed: what a tool printed must not move
  /// the cursor, rename the window or hide what comes next.
  package static func text(_ text: String) -> String {
    var plain = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\t", "\n": plain.unicodeScalars.append(scalar)
      case "\r": break
      case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}": plain += "\u{FFFD}"
      default: plain.unicodeScalars.append(scalar)
      }
    }
    return plain
  }

  /// `1 step`, `2 steps`.
  package static func count(_ number: some BinaryInteger, _ noun: String) -> String {
    number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
  }

  /// `12 B`, `3.4 KiB`.
  package static func size(_ bytes: UInt64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"]
    guard bytes >= 1024 else { return "\(bytes) B" }
    var (value, unit) = (Double(bytes) / 1024, 0)
    while value >= 1024, unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}
