internal import Sandbox

/// A pattern for paths, as in a shell and in `.gitignore`: `*`, `?` and `[…]` within a name, `**` over
/// any number of folders, `\` before a character that stands for itself.
///
/// With a '/' in it, it has to match a whole path; without, a path's last name.
struct Glob: Equatable {
  private let names: [[UInt8]]
  private let isPath: Bool

  init(_ pattern: ArraySlice<UInt8>) {
    isPath = pattern.contains(.slash)
    names = pattern.split(separator: .slash).map { Array($0) }
  }

  /// Whether it matches a path: names with '/' between them.
  func matches(_ path: [UInt8]) -> Bool {
    let path = path.split(separator: .slash)
    if isPath { return matches(path) }
    guard let name = path.last, let pattern = names.first else { return false }
    return Self.isAny(pattern) || Self.matches(pattern, name)
  }

  /// Goes through the pattern's names once, keeping all prefixes of the path that match so far: no
  /// pattern is slower than its length times the path's.
  private func matches(_ path: [ArraySlice<UInt8>]) -> Bool {
    // At index n: the names so far match the path's first n.
    var reached = [Bool](repeating: false, count: path.count + 1)
    reached[0] = true
    for (index, name) in names.enumerated() {
      if Self.isAny(name) {
        // At the end, `a/**` is what is in `a`, not `a` itself.
        let least = index == names.count - 1 ? 1 : 0
        guard let first = reached.firstIndex(of: true) else { return false }
        reached = reached.indices.map { $0 >= first + least }
      } else {
        reached = reached.indices.map {
          $0 > 0 && reached[$0 - 1] && Self.matches(name, path[$0 - 1])
        }
      }
    }
    return reached[path.count]
  }

  private static func isAny(_ pattern: [UInt8]) -> Bool { pattern == Array("**".utf8) }

  /// One name against one pattern without '/'. Only the last `*` is ever tried again.
  private static func matches(_ pattern: [UInt8], _ name: ArraySlice<UInt8>) -> Bool {
    var (p, n) = (pattern.startIndex, name.startIndex)
    var star: (pattern: Int, name: Int)?
    while n < name.endIndex {
      if p < pattern.endIndex, pattern[p] == UInt8(ascii: "*") {
        p += 1
        star = (p, n)
      } else if let next = step(pattern, p, name, n) {
        (p, n) = next
      } else if let last = star {
        star = (last.pattern, last.name + 1)
        (p, n) = (last.pattern, last.name + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }

  /// The positions after one character of both, if it matches.
  private static func step(
    _ pattern: [UInt8],
    _ p: Int,
    _ name: ArraySlice<UInt8>,
    _ n: Int
  ) -> (Int, Int)? {
    guard p < pattern.endIndex else { return nil }
    switch pattern[p] {
    case UInt8(ascii: "?"): return (p + 1, afterCharacter(name, n))
    case UInt8(ascii: "["):
      if let set = CharacterSet(pattern, p) {
        return set.contains(name[n]) ? (set.end, n + 1) : nil
      }
    case UInt8(ascii: "\\") where p + 1 < pattern.endIndex:
      return pattern[p + 1] == name[n] ? (p + 2, n + 1) : nil
    default: break
    }
    return pattern[p] == name[n] ? (p + 1, n + 1) : nil
  }

  /// A character is a byte and the UTF-8 continuation bytes after it.
  private static func afterCharacter(_ name: ArraySlice<UInt8>, _ n: Int) -> Int {
    name[(n + 1)...].firstIndex { $0 & 0xc0 != 0x80 } ?? name.endIndex
  }

  /// `[a-z_]`, or what is not in it after `!` or `^`. Of single bytes.
  private struct CharacterSet {
    private var ranges: [ClosedRange<UInt8>] = []
    private let isInverted: Bool
    /// Position after the ']'.
    let end: Int

    /// - Returns: `nil` when no ']' ends it: then the '[' stands for itself.
    init?(_ pattern: [UInt8], _ start: Int) {
      var p = start + 1
      isInverted =
        p < pattern.endIndex && [UInt8(ascii: "!"), UInt8(ascii: "^")].contains(pattern[p])
      if isInverted { p += 1 }
      // A ']' in first place is a member.
      guard p < pattern.endIndex,
        let close = pattern[(p + 1)...].firstIndex(of: UInt8(ascii: "]"))
      else { return nil }
      while p < close {
        if p + 2 < close, pattern[p + 1] == UInt8(ascii: "-") {
          ranges.append(pattern[p]...max(pattern[p], pattern[p + 2]))
          p += 3
        } else {
          ranges.append(pattern[p]...pattern[p])
          p += 1
        }
      }
      end = close + 1
    }

    func contains(_ byte: UInt8) -> Bool { ranges.contains { $0.contains(byte) } != isInverted }
  }
}
