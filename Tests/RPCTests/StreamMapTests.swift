import Testing

@testable import RPC

struct StreamMapTests {
  private func state(_ id: Int32) -> StreamState {
    StreamState(id: id, window: 65_536, maxMessageBytes: 1_024)
  }

  @Test func `streams are found until they are removed`() {
    var map = StreamMap()
    #expect(map[1] == nil)
    map.remove(1)
    for id in stride(from: Int32(1), to: 2_000, by: 2) { map.insert(state(id)) }
    #expect(map.count == 1_000)
    #expect(map[1_999]?.id == 1_999)
    #expect(map[2] == nil && map[2_001] == nil)
    for id in stride(from: Int32(1), to: 2_000, by: 2) { map.remove(id) }
    #expect(map.count == 0)
    #expect(map.values.isEmpty)
  }

  /// A peer chooses its numbers, and knows the table's size by their count.
  @Test(arguments: 0..<14) func `no numbers make a look-up long`(shift: Int32) {
    var map = StreamMap()
    let ids = (0..<Int32(4_096)).map { ($0 << shift) << 1 | 1 }
    for id in ids { map.insert(state(id)) }
    let probes = ids.map { map.probes(of: $0) }
    #expect(probes.reduce(0, +) < 8 * ids.count)
    #expect(probes.max() ?? 0 < 256)
  }

  /// Numbers that all begin in the same place, and others between them.
  @Test(arguments: UInt64(1)...20)
  func `it holds what a dictionary holds, in any order of events`(seed: UInt64) {
    var random = SplitMix(seed)
    var map = StreamMap()
    var model: [Int32: StreamState] = [:]
    for _ in 0..<3_000 {
      let id = Int32(random.next() % 40) * [2, 16, 128][Int(random.next() % 3)] + 1
      if model[id] != nil {
        model[id] = nil
        map.remove(id)
      } else {
        let state = state(id)
        model[id] = state
        map.insert(state)
      }
      #expect(map.count == model.count)
      #expect(map[id] === model[id])
    }
    #expect(Set(map.values.map(\.id)) == Set(model.keys))
    for (id, state) in model { #expect(map[id] === state) }
  }
}

private struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
