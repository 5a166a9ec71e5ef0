internal import DaemonWire
internal import TextDiff

/// The lines of a file that are most like a text that is not in it. Prints as a part of a message.
struct NearestText: Equatable, CustomStringConvertible {
  /// Where it begins, from 1.
  let line: Int
  /// The first of its lines that differs, from 1, and what it reads; `nil` when white space alone
  /// differs.
  let difference: Difference?

  struct Difference: Equatable {
    let line: Int
    let text: String
  }

  /// Lines of the wanted text that are compared: enough to tell places apart.
  private static let maxCompared = 64
  /// Bytes of a line that are compared or shown.
  private static let maxShown = 160

  var description: String {
    guard let difference else {
      return "line \(line) begins the same text with other white space or line ends"
    }
    return "the nearest text begins at line \(line), where line \(difference.line) reads"
      + " '\(difference.text)'"
  }

  /// Lines of the longest file that is looked through: the comparisons cost up to a second there,
  /// and they hold up every other mutation.
  static let maxLines = 50_000

  enum Finding: Equatable {
    case found(NearestText)
    /// Nothing has a line in common with what was wanted, or half the letters of its first line.
    case nothing
    case tooLong
  }

  static func find(
    _ wanted: [UInt8],
    in content: [UInt8],
    _ cancellation: Cancellation = Cancellation()
  ) throws(ToolError) -> Finding {
    guard let lines = TextLines(content, maxLines: maxLines) else { return .tooLong }
    let wanted = TextLines(wanted)
    let keys = (0..<lines.count).map { Key(lines[$0]) }
    let wantedKeys = (0..<min(wanted.count, maxCompared)).map { Key(wanted[$0]) }
    if let start = try window(of: wantedKeys, in: keys, cancellation) {
      return .found(describe(start, wantedKeys, keys, lines))
    }
    guard let index = try similarLine(to: wanted, in: lines, cancellation) else { return .nothing }
    let text = shown(lines[index])
    return .found(
      NearestText(line: index + 1, difference: Difference(line: index + 1, text: text))
    )
  }

  /// Where most lines are equal but for white space; blank lines alone do not count.
  private static func window(
    of wanted: [Key],
    in keys: [Key],
    _ cancellation: Cancellation
  ) throws(ToolError) -> Int? {
    var best: (start: Int, score: Int)?
    for start in keys.indices {
      if start % 1_024 == 0 { try cancellation.check() }
      let score = zip(wanted, keys[start...]).count { !$0.isBlank && $0 == $1 }
      if score > best?.score ?? 0 { best = (start, score) }
    }
    return best?.start
  }

  private static func describe(
    _ start: Int,
    _ wanted: [Key],
    _ keys: [Key],
    _ lines: TextLines
  ) -> NearestText {
    let differing = wanted.indices.first {
      start + $0 >= keys.count || keys[start + $0] != wanted[$0]
    }
    let difference = differing.map { index in
      let line = start + index
      return Difference(
        line: line + 1,
        text: line < lines.count ? shown(lines[line]) : "(the file ends there)"
      )
    }
    return NearestText(line: start + 1, difference: difference)
  }

  private static func similarLine(
    to wanted: TextLines,
    in lines: TextLines,
    _ cancellation: Cancellation
  ) throws(ToolError) -> Int? {
    let first = (0..<wanted.count).map { Pairs(wanted[$0]) }.first { !$0.isEmpty }
    guard let first else { return nil }
    var best: (index: Int, likeness: Double)?
    for index in 0..<lines.count {
      if index % 1_024 == 0 { try cancellation.check() }
      let likeness = first.likeness(to: Pairs(lines[index]))
      if likeness >= 0.5, likeness > best?.likeness ?? 0 { best = (index, likeness) }
    }
    return best?.index
  }

  private static func shown(_ line: ArraySlice<UInt8>) -> String {
    let text = String(decoding: line.prefix(maxShown), as: UTF8.self)
    return String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 32 }))
  }

  /// A line without its white space.
  private struct Key: Equatable {
    let bytes: [UInt8]

    init(_ line: ArraySlice<UInt8>) { bytes = line.filter { $0 > UInt8(ascii: " ") } }

    var isBlank: Bool { bytes.isEmpty }
  }

  /// The pairs of neighbouring bytes in a line, for likeness after Dice (1945).
  private struct Pairs {
    private var counts: [UInt16: Int] = [:]
    private var total = 0

    init(_ line: ArraySlice<UInt8>) {
      let bytes = line.prefix(NearestText.maxShown).filter { $0 > UInt8(ascii: " ") }
      for (first, second) in zip(bytes, bytes.dropFirst()) {
        counts[UInt16(first) << 8 | UInt16(second), default: 0] += 1
        total += 1
      }
    }

    var isEmpty: Bool { total == 0 }

    /// 0 for nothing in common, 1 for the same pairs.
    func likeness(to other: Pairs) -> Double {
      guard total + other.total > 0 else { return 0 }
      let common = counts.reduce(0) { $0 + min($1.value, other.counts[$1.key] ?? 0) }
      return Double(2 * common) / Double(total + other.total)
    }
  }
}
