import Testing

@testable import TextDiff

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

struct LineDiffTests {
  /// Applies the changes, which must give the new lines, with as few of them as there can be.
  private func edits(_ old: [Int], _ new: [Int]) -> Int {
    var result: [Int] = []
    var position = 0
    var cost = 0
    for change in LineDiff.changes(from: old, to: new) {
      result += old[position..<change.old.lowerBound] + new[change.new]
      position = change.old.upperBound
      cost += change.old.count + change.new.count
    }
    #expect(result + old[position...] == new)
    return cost
  }

  /// The length of the shortest edit by dynamic programming.
  private func shortest(_ old: [Int], _ new: [Int]) -> Int {
    var row = Array(0...new.count)
    for (i, a) in old.enumerated() {
      var next = [i + 1]
      for (j, b) in new.enumerated() {
        next.append(a == b ? row[j] : 1 + min(row[j + 1], next[j]))
      }
      row = next
    }
    return row[new.count]
  }

  @Test func `changes are the shortest and make the new from the old`() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<500 {
      let old = (0..<Int.random(in: 0...12, using: &random)).map { _ in Int.random(in: 0...3) }
      let new = (0..<Int.random(in: 0...12, using: &random)).map { _ in Int.random(in: 0...3) }
      #expect(edits(old, new) == shortest(old, new), "\(old) \(new)")
    }
  }

  @Test func `lines that cost too much to compare are one change`() {
    let old = [Int](repeating: 1, count: 1_000)
    let new = old.indices.map { $0 % 100 == 0 ? 2 : 1 }
    #expect(LineDiff.changes(from: old, to: new).count == 10)
    let cheap = LineDiff.changes(from: old, to: new, maxCompared: 500)
    #expect(cheap == [LineDiff.Change(old: 0..<901, new: 0..<901)])
  }

  @Test func `a file with very many lines has no diff, and says that it is cut`() {
    let many = bytes(String(repeating: "\n", count: UnifiedDiff.maxLines + 1))
    let diff = UnifiedDiff.make("a", from: [], to: many)
    #expect(diff.text.isEmpty)
    #expect(diff.isCut)
  }

  @Test func `beyond its bound everything between is one change`() {
    let old = [0, 1, 2, 3, 4, 9]
    let new = [0, 5, 2, 6, 7, 9]
    #expect(
      LineDiff.changes(from: old, to: new, maxEdits: 2) == [LineDiff.Change(old: 1..<5, new: 1..<5)]
    )
  }
}
