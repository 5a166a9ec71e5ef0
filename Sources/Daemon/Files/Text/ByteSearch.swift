internal import DaemonWire

/// Finds a byte string in another, in time linear in both whatever they hold (Knuth, Morris, Pratt,
/// 1977): both come from a model.
struct ByteSearch {
  private let needle: [UInt8]
  /// At index n: how many of the needle's first bytes its first n + 1 end with, not all of them.
  private let borders: [Int]

  /// - Parameter needle: not empty.
  init(_ needle: [UInt8]) {
    precondition(!needle.isEmpty, "nothing is found everywhere")
    self.needle = needle
    var borders = [0]
    borders.reserveCapacity(needle.count)
    for byte in needle.dropFirst() {
      var length = borders[borders.count - 1]
      while length > 0, needle[length] != byte { length = borders[length - 1] }
      borders.append(needle[length] == byte ? length + 1 : 0)
    }
    self.borders = borders
  }

  /// Bytes between looks at the cancellation.
  private static let stride = 1 << 20

  /// Calls `body` with the position of each match, in order, until it returns false.
  func forEachMatch(
    in text: [UInt8],
    overlapping: Bool,
    _ cancellation: Cancellation,
    _ body: (Int) throws(ToolError) -> Bool
  ) throws(ToolError) {
    var matched = 0
    for position in text.indices {
      if position % Self.stride == 0 { try cancellation.check() }
      let byte = text[position]
      while matched > 0, needle[matched] != byte { matched = borders[matched - 1] }
      if needle[matched] == byte { matched += 1 }
      guard matched == needle.count else { continue }
      guard try body(position + 1 - matched) else { return }
      matched = overlapping ? borders[matched - 1] : 0
    }
  }
}
