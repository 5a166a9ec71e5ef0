/// Which of a block's events have something: a set of places.
///
/// Sequence numbers come in blocks of 4,096, so that the index has one row for each term and block, and
/// not one for each event: what many events share costs a bit each.
struct PlaceSet: Equatable, Sendable {
  static let size: UInt64 = 4_096
  private static let wordCount = Int(size) / 64

  private var words = [UInt64](repeating: 0, count: wordCount)

  static func block(of sequence: UInt64) -> UInt64 { sequence / size }

  init() {}

  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

  mutating func insert(_ sequence: UInt64) {
    let place = Int(sequence % Self.size)
    words[place / 64] |= 1 << UInt64(place % 64)
  }

  mutating func formUnion(_ other: PlaceSet) {
    for index in words.indices { words[index] |= other.words[index] }
  }

  mutating func formIntersection(_ other: PlaceSet) {
    for index in words.indices { words[index] &= other.words[index] }
  }

  mutating func subtract(_ other: PlaceSet) {
    for index in words.indices { words[index] &= ~other.words[index] }
  }

  /// Sequence numbers, ascending.
  func sequences(in block: UInt64) -> [UInt64] {
    var sequences: [UInt64] = []
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        sequences.append(
          block * Self.size + UInt64(index) * 64 + UInt64(rest.trailingZeroBitCount)
        )
        rest &= rest - 1
      }
    }
    return sequences
  }

  // MARK: As it is kept

  /// A set has one form, so that an index made anew is the same: two bytes for each place, or, once
  /// these would be more, a bit for each.
  var bytes: [UInt8] {
    let count = words.reduce(0) { $0 + $1.nonzeroBitCount }
    guard count < Self.wordCount * 4 else {
      return words.flatMap { word in
        stride(from: 0, to: 64, by: 8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
      }
    }
    return Self.bytes(of: sequences(in: 0))
  }

  /// The same of places that are in order, each once, of which there are few.
  static func bytes(of sequences: some Collection<UInt64>) -> [UInt8] {
    guard sequences.count < wordCount * 4 else {
      var set = PlaceSet()
      for sequence in sequences { set.insert(sequence) }
      return set.bytes
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(2 * sequences.count)
    for sequence in sequences {
      let place = sequence % size
      bytes.append(UInt8(truncatingIfNeeded: place))
      bytes.append(UInt8(truncatingIfNeeded: place >> 8))
    }
    return bytes
  }

  init(_ bytes: [UInt8]) {
    guard bytes.count == Self.wordCount * 8 else {
      for index in stride(from: 0, to: bytes.count - 1, by: 2) {
        insert(UInt64(bytes[index]) | UInt64(bytes[index + 1]) << 8)
      }
      return
    }
    for (index, byte) in bytes.enumerated() {
      words[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8)
    }
  }
}
