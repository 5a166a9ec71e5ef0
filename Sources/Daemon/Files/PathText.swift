/// Paths for people: a path is bytes and may hold anything but a NUL.
enum PathText {
  /// The most that is shown of a path, in bytes: Linux's longest (limits.h). A request may bring more,
  /// and what is said about it must fit a message.
  private static let longest = 4_096
  /// Where a path is one word of a sentence that is short by rule, in bytes.
  private static let longestBrief = 512

  /// In single quotes, escaped.
  static func quoted(_ path: [UInt8]) -> String { "'\(escaped(path))'" }

  /// The same, and no longer than about half a KiB.
  static func brief(_ path: [UInt8]) -> String { "'\(escaped(path).clipped(to: longestBrief))'" }

  /// As it is when it is plain text, else with `\xNN` for control characters and bad UTF-8.
  static func escaped(_ path: [UInt8]) -> String {
    guard path.count <= longest else {
      return escaped(Array(path[..<longest])) + "… (\(path.count) bytes)"
    }
    if let text = String(validating: path, as: UTF8.self),
      !text.unicodeScalars.contains(where: isControl)
    {
      return text
    }
    return path.map { 0x20..<0x7f ~= $0 ? String(UnicodeScalar($0)) : escape($0) }.joined()
  }

  private static func isControl(_ scalar: UnicodeScalar) -> Bool {
    scalar.properties.generalCategory == .control
  }

  private static func escape(_ byte: UInt8) -> String {
    "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }
}

extension String {
  /// At most so many bytes of UTF-8, cut between scalars; what is cut off leaves a `…`.
  func clipped(to maxBytes: Int) -> String {
    guard utf8.count > maxBytes else { return self }
    var end = utf8.index(startIndex, offsetBy: max(0, maxBytes - "…".utf8.count))
    while end > startIndex, end.samePosition(in: unicodeScalars) == nil {
      end = utf8.index(before: end)
    }
    return String(self[..<end]) + "…"
  }
}
