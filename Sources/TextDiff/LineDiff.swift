/// What to change to make one list of lines into another (Myers, 1986), at a bounded cost.
struct LineDiff {
  /// Lines that are taken out, and those that come in their place.
  struct Change: Equatable {
    let old: Range<Int>
    let new: Range<Int>
  }

  /// Most single-line changes that are told apart: the search costs their square in memory, 8 MB.
  /// Beyond it everything between the first and last difference is one change.
  static let maxEdits = 1_000
  /// Most lines that are compared, each as often as it is: half a second. Files that repeat
  /// themselves could ask for a thousand times their length. Beyond it, too, it is one change.
  static let maxCompared = 50_000_000

  /// The changes in order.
  static func changes(from old: TextLines, to new: TextLines) -> [Change] {
    var numbers: [ArraySlice<UInt8>: Int] = [:]
    func number(_ line: ArraySlice<UInt8>) -> Int {
      if let number = numbers[line] { return number }
      numbers[line] = numbers.count
      return numbers.count - 1
    }
    return changes(
      from: (0..<old.count).map { number(old[$0]) },
      to: (0..<new.count).map { number(new[$0]) }
    )
  }

  static func changes(
    from old: [Int],
    to new: [Int],
    maxEdits: Int = maxEdits,
    maxCompared: Int = maxCompared
  ) -> [Change] {
    let prefix = zip(old, new).prefix { $0 == $1 }.count
    let room = min(old.count, new.count) - prefix
    let suffix = zip(old.reversed(), new.reversed()).prefix(room).prefix { $0 == $1 }.count
    let (oldEnd, newEnd) = (old.count - suffix, new.count - suffix)
    guard prefix < oldEnd || prefix < newEnd else { return [] }
    // Nothing to search for where lines only came or only went, as in a file that is new.
    guard prefix < oldEnd, prefix < newEnd else {
      return [Change(old: prefix..<oldEnd, new: prefix..<newEnd)]
    }
    let middle = LineDiff(old: Array(old[prefix..<oldEnd]), new: Array(new[prefix..<newEnd]))
    guard let changes = middle.changes(maxEdits, maxCompared) else {
      return [Change(old: prefix..<oldEnd, new: prefix..<newEnd)]
    }
    return changes.map { change in
      Change(
        old: (change.old.lowerBound + prefix)..<(change.old.upperBound + prefix),
        new: (change.new.lowerBound + prefix)..<(change.new.upperBound + prefix)
      )
    }
  }

  private let old: [Int]
  private let new: [Int]

  private init(old: [Int], new: [Int]) {
    self.old = old
    self.new = new
  }

  private func changes(_ maxEdits: Int, _ maxCompared: Int) -> [Change]? {
    guard let trace = shortestEdit(maxEdits, maxCompared) else { return nil }
    var removed = [Bool](repeating: false, count: old.count)
    var added = [Bool](repeating: false, count: new.count)
    var (x, y) = (old.count, new.count)
    for (d, reached) in trace.enumerated().reversed() where d > 0 {
      let (previousX, previousY) = reached.before(diagonal: x - y)
      while x > previousX, y > previousY { (x, y) = (x - 1, y - 1) }
      if x > previousX { removed[x - 1] = true } else { added[y - 1] = true }
      (x, y) = (previousX, previousY)
    }
    return Self.collect(removed, added)
  }

  /// How far each diagonal was reached with `d - 1` edits: what step `d` starts from.
  private struct Reached {
    let d: Int
    /// Diagonals -d … d, by position in the old lines.
    var positions: [Int]

    subscript(diagonal: Int) -> Int {
      let index = diagonal + d
      return positions.indices.contains(index) ? positions[index] : -1
    }

    /// The point from which `diagonal` is entered: from above by an addition, or from the left by a
    /// removal.
    func before(diagonal: Int) -> (Int, Int) {
      let addition = self[diagonal + 1]
      let removal = self[diagonal - 1]
      let isAddition = removal < addition
      return isAddition
        ? (addition, addition - diagonal - 1) : (removal, removal - diagonal + 1)
    }
  }

  /// For each number of edits, what was reached before it; the last one reaches the end.
  private func shortestEdit(_ maxEdits: Int, _ maxCompared: Int) -> [Reached]? {
    var trace: [Reached] = []
    var compared = 0
    var reached = Reached(d: 0, positions: [slide(0, 0, &compared)])
    trace.append(reached)
    var d = 0
    while reached[old.count - new.count] < old.count {
      d += 1
      guard d <= maxEdits, compared <= maxCompared else { return nil }
      trace.append(reached)
      reached = step(reached, d, &compared)
    }
    return trace
  }

  private func step(_ reached: Reached, _ d: Int, _ compared: inout Int) -> Reached {
    var next = Reached(d: d, positions: [Int](repeating: -1, count: 2 * d + 1))
    for diagonal in stride(from: -d, through: d, by: 2) {
      let (x, y) = reached.before(diagonal: diagonal)
      // An addition keeps its place in the old lines, a removal goes one on.
      let start = x - y == diagonal + 1 ? x : x + 1
      next.positions[diagonal + d] = slide(start, start - diagonal, &compared)
    }
    return next
  }

  /// Follows equal lines from a point; the position in the old lines where they end.
  private func slide(_ start: Int, _ y: Int, _ compared: inout Int) -> Int {
    var (x, y) = (start, y)
    while x < old.count, y < new.count, old[x] == new[y] { (x, y) = (x + 1, y + 1) }
    compared += x - start + 1
    return x
  }

  private static func collect(_ removed: [Bool], _ added: [Bool]) -> [Change] {
    var changes: [Change] = []
    var (x, y) = (0, 0)
    while x < removed.count || y < added.count {
      let (startX, startY) = (x, y)
      while x < removed.count, removed[x] { x += 1 }
      while y < added.count, added[y] { y += 1 }
      if x > startX || y > startY { changes.append(Change(old: startX..<x, new: startY..<y)) }
      (x, y) = (x + 1, y + 1)
    }
    return changes
  }
}
