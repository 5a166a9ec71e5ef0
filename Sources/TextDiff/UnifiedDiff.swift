/// A change of one file as `diff -u` writes it.
package enum UnifiedDiff {
  package static let maxBytes = 64 << 10
  private static let contextLines = 3
  /// Lines of the longest file that is compared.
  package static let maxLines = 1_000_000

  /// The diff of a file called `name`; without `old` it is a new one, without `new` it is gone.
  ///
  /// Empty when either side is not text (UTF-8 without NUL), or nothing changed; as many whole lines
  /// as fit of a text that would be too long, and none of a file with more than `maxLines`.
  package static func make(
    _ name: String,
    from old: [UInt8]?,
    to new: [UInt8]?,
    maxBytes: Int = maxBytes
  ) -> (text: String, isCut: Bool) {
    guard isText(old ?? []), isText(new ?? []) else { return ("", false) }
    guard let oldLines = TextLines(old ?? [], maxLines: maxLines),
      let newLines = TextLines(new ?? [], maxLines: maxLines)
    else { return ("", true) }
    let changes = LineDiff.changes(from: oldLines, to: newLines)
    guard !changes.isEmpty else { return ("", false) }
    var text = BoundedText(maxBytes: maxBytes)
    text.append("--- \(old == nil ? "/dev/null" : "a/" + name)\n".utf8)
    text.append("+++ \(new == nil ? "/dev/null" : "b/" + name)\n".utf8)
    for hunk in hunks(changes) { append(hunk, oldLines, newLines, to: &text) }
    return (String(decoding: text.bytes, as: UTF8.self), text.isCut)
  }

  /// UTF-8 without NUL.
  package static func isText(_ bytes: [UInt8]) -> Bool {
    !bytes.contains(0) && String(validating: bytes, as: UTF8.self) != nil
  }

  /// Changes whose context would meet go together.
  private static func hunks(_ changes: [LineDiff.Change]) -> [[LineDiff.Change]] {
    var hunks: [[LineDiff.Change]] = []
    for change in changes {
      if let last = hunks.last?.last,
        change.old.lowerBound - last.old.upperBound <= 2 * contextLines
      {
        hunks[hunks.count - 1].append(change)
      } else {
        hunks.append([change])
      }
    }
    return hunks
  }

  private static func append(
    _ hunk: [LineDiff.Change],
    _ old: TextLines,
    _ new: TextLines,
    to text: inout BoundedText
  ) {
    guard let first = hunk.first, let last = hunk.last else { return }
    let before = min(contextLines, first.old.lowerBound)
    let after = min(contextLines, old.count - last.old.upperBound)
    let oldRange = (first.old.lowerBound - before)..<(last.old.upperBound + after)
    let newRange = (first.new.lowerBound - before)..<(last.new.upperBound + after)
    text.append("@@ -\(position(oldRange)) +\(position(newRange)) @@\n".utf8)

    var next = oldRange.lowerBound
    for change in hunk {
      for line in next..<change.old.lowerBound { append(" ", old[line], to: &text) }
      for line in change.old { append("-", old[line], to: &text) }
      for line in change.new { append("+", new[line], to: &text) }
      next = change.old.upperBound
    }
    for line in next..<oldRange.upperBound { append(" ", old[line], to: &text) }
  }

  /// First line and count; of an empty range the line before it.
  private static func position(_ range: Range<Int>) -> String {
    "\(range.isEmpty ? range.lowerBound : range.lowerBound + 1),\(range.count)"
  }

  private static func append(
    _ mark: Character,
    _ line: ArraySlice<UInt8>,
    to text: inout BoundedText
  ) {
    let end = line.last == .newline ? "" : "\n\\ No newline at end of file\n"
    text.append(Array("\(mark)".utf8) + line + Array(end.utf8))
  }

  /// Text that stops at its bound, after a whole line.
  private struct BoundedText {
    let maxBytes: Int
    private(set) var bytes: [UInt8] = []
    private(set) var isCut = false

    init(maxBytes: Int) { self.maxBytes = maxBytes }

    mutating func append(_ line: some Collection<UInt8>) {
      isCut = isCut || bytes.count + line.count > maxBytes
      if !isCut { bytes += line }
    }
  }
}

extension UnifiedDiff {
  /// How many lines a diff, or several one after the other, takes in and out.
  package static func lineCounts(_ diff: String) -> (added: UInt64, removed: UInt64) {
    var (added, removed): (UInt64, UInt64) = (0, 0)
    // Of the hunk: a line that begins with '+' may be one of the file's.
    var (oldLeft, newLeft) = (0, 0)
    for line in diff.utf8.split(separator: .newline) {
      guard oldLeft > 0 || newLeft > 0 else {
        (oldLeft, newLeft) = sizes(line)
        continue
      }
      switch line.first {
      case UInt8(ascii: "+"): (added, newLeft) = (added + 1, newLeft - 1)
      case UInt8(ascii: "-"): (removed, oldLeft) = (removed + 1, oldLeft - 1)
      case UInt8(ascii: "\\"): break
      default: (oldLeft, newLeft) = (oldLeft - 1, newLeft - 1)
      }
    }
    return (added, removed)
  }

  /// Of the hunk that a line begins, as `position` writes them; else none.
  private static func sizes(_ line: Substring.UTF8View) -> (Int, Int) {
    let words = Substring(line).split(separator: " ")
    guard words.count >= 4, words[0] == "@@" else { return (0, 0) }
    func size(_ word: Substring) -> Int {
      word.split(separator: ",").dropFirst().first.flatMap { Int($0) } ?? 1
    }
    return (size(words[1]), size(words[2]))
  }
}
