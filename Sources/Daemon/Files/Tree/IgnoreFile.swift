internal import Sandbox

/// One `.gitignore`, after gitignore(5).
struct IgnoreFile: Equatable {
  private let rules: [Rule]

  private struct Rule: Equatable {
    let glob: Glob
    /// Began with '!': what it matches is kept.
    let keeps: Bool
    let foldersOnly: Bool
  }

  init(_ content: [UInt8]) {
    rules = content.split(separator: .newline).compactMap { Self.rule(Self.trimmed($0)) }
  }

  /// Whether a path below the folder that the file is in is left out; `nil` when no rule speaks of
  /// it.
  func ignores(_ path: [UInt8], isFolder: Bool) -> Bool? {
    let rule = rules.last { (!$0.foldersOnly || isFolder) && $0.glob.matches(path) }
    return rule.map { !$0.keeps }
  }

  private static func rule(_ line: ArraySlice<UInt8>) -> Rule? {
    var line = line
    guard let first = line.first, first != UInt8(ascii: "#") else { return nil }
    let keeps = first == UInt8(ascii: "!")
    if keeps { line.removeFirst() }
    let foldersOnly = line.last == .slash
    if foldersOnly { line.removeLast() }
    guard !line.isEmpty else { return nil }
    return Rule(glob: Glob(line), keeps: keeps, foldersOnly: foldersOnly)
  }

  /// Without '\r' and spaces at the end, unless a '\' keeps the space.
  private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var line = line
    if line.last == .carriageReturn { line.removeLast() }
    while line.last == UInt8(ascii: " "), line.dropLast().last != UInt8(ascii: "\\") {
      line.removeLast()
    }
    return line
  }
}
