/// A result as the loop keeps it for `output.read`: its first and its last bytes, in bounded memory.
package struct KeptOutput: Sendable, Equatable {
  private let halfLimit: Int
  private var head: [UInt8] = []
  private var tail: [UInt8] = []

  /// All bytes there were.
  package private(set) var total = 0

  /// Keeps at most `limit` bytes; what is in the middle beyond that is lost.
  package init(limit: Int = 2 * 1024 * 1024) { halfLimit = limit / 2 }

  package init(_ text: String) {
    self.init()
    append(Array(text.utf8))
  }

  package mutating func append(_ bytes: [UInt8]) {
    total += bytes.count
    let room = halfLimit - head.count
    head += bytes.prefix(room)
    tail += bytes.dropFirst(room)
    // Trimmed at twice its size, so that each byte is moved once.
    if tail.count > 2 * halfLimit { tail.removeFirst(tail.count - halfLimit) }
  }

  /// - Returns: at most `count` bytes in a row, and where they begin: at `offset`, or behind what is
  ///   lost there. Empty at the end.
  package func bytes(at offset: Int, count: Int) -> (offset: Int, bytes: [UInt8]) {
    let offset = min(max(0, offset), total)
    if offset < head.count {
      let end = min(head.count, offset + count)
      let isWhole = total == head.count + tail.count
      let rest = isWhole ? tail.prefix(max(0, offset + count - end)) : []
      return (offset, Array(head[offset..<end]) + rest)
    }
    let tailStart = total - tail.count
    let start = max(offset, tailStart)
    return (start, Array(tail.dropFirst(start - tailStart).prefix(count)))
  }
}
