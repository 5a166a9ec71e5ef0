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
  func apply(
    to content: [UInt8],
    named name: String
  ) throws(ToolError) -> (content: [UInt8], replacements: UInt32) {
    var content = content
    var replacements: UInt32 = 0
    for (index, edit) in edits.enumerated() {
      let matches = ByteSearch(edit.oldText).matches(in: content, overlapping: !edit.replaceAll)
      guard let first = matches.first else {
        throw noMatch(index, edit, content, name)
      }
      guard matches.count == 1 || edit.replaceAll else {
        throw ambiguous(index, first: matches, content, name)
      }
      content = Self.replacing(matches, of: edit.oldText.count, in: content, with: edit.newText)
      replacements += UInt32(matches.count)
      guard content.count <= FileTools.maxEditedBytes else {
        throw ToolError(
          .tooLarge,
          "edit \(index + 1) makes \(name) larger than 16 MiB at byte \(first)"
        )
      }
    }
    return (content, replacements)
  }

  private static func replacing(
    _ matches: [Int],
    of length: Int,
    in content: [UInt8],
    with text: [UInt8]
  ) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(content.count + matches.count * max(0, text.count - length))
    var position = 0
    for match in matches {
      result += content[position..<match]
      result += text
      position = match + length
    }
    return result + content[position...]
  }

  private func ambiguous(
    _ index: Int,
    first matches: [Int],
    _ content: [UInt8],
    _ name: String
  ) -> ToolError {
    let lines = TextLines(content)
    let shown = matches.prefix(10).map { "\(lines.number(at: $0))" }.joined(separator: ", ")
    let more = matches.count > 10 ? " and more" : ""
    return ToolError(
      .ambiguousMatch,
      "edit \(index + 1): old_text is \(matches.count) times in \(name), at lines \(shown)\(more);"
        + " add lines around it, or set replace_all"
    )
  }

  private func noMatch(
    _ index: Int,
    _ edit: Edit,
    _ content: [UInt8],
    _ name: String
  ) -> ToolError {
    let after = index > 0 ? " as the edits before leave it" : ""
    let start = "edit \(index + 1): old_text is not in \(name)\(after)"
    guard let nearest = NearestText.find(edit.oldText, in: content) else {
      return ToolError(.noMatch, "\(start), nor anything like it; read the file again")
    }
    return ToolError(.noMatch, "\(start); \(nearest); read those lines again and copy them exactly")
  }
}
