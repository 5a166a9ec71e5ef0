/// Finds a byte string in another (Horspool, 1980).
struct ByteSearch {
  private let needle: [UInt8]
  /// How far the needle moves when its last byte meets this one.
  private let shifts: [Int]

  /// - Parameter needle: not empty.
  init(_ needle: [UInt8]) {
    precondition(!needle.isEmpty, "nothing is found everywhere")
    self.needle = needle
    var shifts = [Int](repeating: needle.count, count: 256)
    for (index, byte) in needle.dropLast().enumerated() {
      shifts[Int(byte)] = needle.count - 1 - index
    }
    self.shifts = shifts
  }

  /// The positions of all matches.
  func matches(in text: [UInt8], overlapping: Bool) -> [Int] {
    var matches: [Int] = []
    var position = 0
    while position + needle.count <= text.count {
      let end = position + needle.count
      if text[position..<end].elementsEqual(needle) {
        matches.append(position)
        position += overlapping ? 1 : needle.count
      } else {
        position += shifts[Int(text[end - 1])]
      }
    }
    return matches
  }
}
