internal import DaemonWire

/// Edits that are applied together or not at all, each to what the ones before it left.
struct EditBatch {
  private let edits: [Edit]

  /// - Throws: `invalid_argument` for edits that could never be applied.
  init(_ edits: [Edit]) throws(ToolError) {
    guard 1...256 ~= edits.count else {
      throw ToolError(.invalidArgument, "\(edits.count) edits; give 1 to 256")
    }
    for (index, edit) in edits.enumerated() {
      guard !edit.oldText.isEmpty else {
        throw ToolError(
          .invalidArgument,
          "edit \(index + 1) has no old_text; use files.write to replace a file"
        )
      }
      guard edit.oldText != edit.newText else {
        throw ToolError(.invalidArgument, "edit \(index + 1) changes nothing; leave it out")
      }
    }
    self.edits = edits
  }

  /// The edited content, and how many replacements were made. `name` is the file's, for messages.
  ///
  /// - Throws: `no_match`, `ambiguous_match`; `too_large` before more than 16 MiB are made.
  func apply(
    to content: [UInt8],
    named name: String,
    _ cancellation: Cancellation = Cancellation()
  ) throws(ToolError) -> (content: [UInt8], replacements: UInt32) {
    var content = content
    var replacements: UInt64 = 0
    for index in edits.indices {
      let made = try apply(index, to: &content, name, cancellation)
      replacements += UInt64(made)
    }
    return (content, UInt32(clamping: replacements))
  }

  /// - Returns: how many replacements were made.
  private func apply(
    _ index: Int,
    to content: inout [UInt8],
    _ name: String,
    _ cancellation: Cancellation
  ) throws(ToolError) -> Int {
    let edit = edits[index]
    let search = ByteSearch(edit.oldText)
    if !edit.replaceAll { try checkIsOnce(index, search, content, name, cancellation) }
    var result: [UInt8] = []
    var (position, count) = (0, 0)
    try search.forEachMatch(in: content, overlapping: false, cancellation) {
      (match) throws(ToolError) in
      let size = result.count + (match - position) + edit.newText.count
      guard size <= FileTools.maxEditedBytes else { throw tooLarge(index, name, at: match) }
      result += content[position..<match]
      result += edit.newText
      position = match + edit.oldText.count
      count += 1
      return true
    }
    guard count > 0 else { throw try noMatch(index, content, name, cancellation) }
    guard result.count + (content.count - position) <= FileTools.maxEditedBytes else {
      throw tooLarge(index, name, at: position)
    }
    content = result + content[position...]
    return count
  }

  private func tooLarge(_ index: Int, _ name: String, at position: Int) -> ToolError {
    ToolError(.tooLarge, "edit \(index + 1) makes \(name) larger than 16 MiB at byte \(position)")
  }

  /// Matches that are counted: beyond it there are simply too many.
  private static let maxCounted = 1_000
  /// Matches whose lines are named.
  private static let maxNamed = 10

  private func checkIsOnce(
    _ index: Int,
    _ search: ByteSearch,
    _ content: [UInt8],
    _ name: String,
    _ cancellation: Cancellation
  ) throws(ToolError) {
    var matches: [Int] = []
    try search.forEachMatch(in: content, overlapping: true, cancellation) {
      (match) throws(ToolError) in
      matches.append(match)
      return matches.count < Self.maxCounted
    }
    guard matches.count > 1 else { return }
    var (line, position) = (1, 0)
    let lines = matches.prefix(Self.maxNamed).map { match in
      line += content[position..<match].count { $0 == .newline }
      position = match
      return "\(line)"
    }
    let more = matches.count > Self.maxNamed ? " and more" : ""
    let times = matches.count < Self.maxCounted ? "\(matches.count)" : "\(Self.maxCounted) or more"
    throw ToolError(
      .ambiguousMatch,
      "edit \(index + 1): old_text is \(times) times in \(name), at lines "
        + "\(lines.joined(separator: ", "))\(more); add lines around it, or set replace_all"
    )
  }

  private func noMatch(
    _ index: Int,
    _ content: [UInt8],
    _ name: String,
    _ cancellation: Cancellation
  ) throws(ToolError) -> ToolError {
    let after = index > 0 ? " as the edits before leave it" : ""
    let start = "edit \(index + 1): old_text is not in \(name)\(after)"
    switch try NearestText.find(edits[index].oldText, in: content, cancellation) {
    case .found(let nearest):
      return ToolError(
        .noMatch,
        "\(start); \(nearest); read those lines again and copy them exactly"
      )
    case .nothing:
      return ToolError(.noMatch, "\(start), nor anything like it; read the file again")
    case .tooLong: return ToolError(.noMatch, "\(start); read the file again and copy exactly")
    }
  }
}
