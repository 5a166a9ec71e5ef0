internal import Testing

@testable internal import Ledger

@Suite struct `A set of places in a block` {
  @Test(arguments: [0, 1, 2, 255, 256, 257, 4_096])
  func `comes back from its bytes, which are the same however it was put together`(count: Int) {
    let sequences = (0..<UInt64(count)).map { 3 * 4_096 + $0 * UInt64(4_096 / max(1, count)) }
    var set = PlaceSet()
    for sequence in sequences.reversed() { set.insert(sequence) }
    #expect(set.sequences(in: 3) == sequences)
    #expect(PlaceSet(set.bytes) == set)
    #expect(PlaceSet.bytes(of: sequences) == set.bytes)
    #expect(set.bytes.count == min(2 * count, 512))
    #expect(set.isEmpty == (count == 0))
  }

  @Test func `is joined, met and diminished`() {
    func set(_ places: UInt64...) -> PlaceSet {
      places.reduce(into: PlaceSet()) { $0.insert($1) }
    }
    var joined = set(1, 70)
    joined.formUnion(set(2))
    #expect(joined == set(1, 2, 70))
    joined.formIntersection(set(2, 70, 80))
    #expect(joined == set(2, 70))
    joined.subtract(set(70))
    #expect(joined == set(2))
  }
}
