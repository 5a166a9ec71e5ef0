/// Paths for people: a path is bytes and may hold anything but a NUL.
enum PathText {
  /// In single quotes, escaped.
  static func quoted(_ path: [UInt8]) -> String { "'\(escaped(path))'" }

  /// As it is when it is plain text, else with `\xNN` for control characters and bad UTF-8.
  static func escaped(_ path: [UInt8]) -> String {
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
