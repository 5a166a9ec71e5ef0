/// The streams of a connection by their numbers.
///
/// A table with open addressing. A peer chooses the numbers, so that where each has its place is
/// nothing it can know. A `Dictionary` hashes better and takes longer, and each frame looks up a
/// stream several times.
struct StreamMap {
  private var slots: [StreamState?] = []
  /// Odd.
  private let factor: UInt64
  private(set) var count = 0

  /// `factor`: what decides on places, with its last bit set; drawn once for all by default.
  init(factor: UInt64 = Self.drawn) { self.factor = factor | 1 }

  private static let drawn = UInt64.random(in: .min ... .max)

  var values: [StreamState] { slots.compactMap { $0 } }

  subscript(id: Int32) -> StreamState? {
    guard count > 0 else { return nil }
    var slot = home(of: id)
    while let state = slots[slot] {
      if state.id == id { return state }
      slot = next(slot)
    }
    return nil
  }

  /// Adds a stream whose number is not there.
  mutating func insert(_ state: StreamState) {
    if 2 * (count + 1) > slots.count { resize(to: max(4, 2 * slots.count)) }
    place(state)
    count += 1
  }

  mutating func remove(_ id: Int32) {
    guard count > 0 else { return }
    var slot = home(of: id)
    while let state = slots[slot], state.id != id { slot = next(slot) }
    guard slots[slot] != nil else { return }
    slots[slot] = nil
    count -= 1
    closeGap(at: slot)
    // A connection that had many streams at once gives the memory back.
    if slots.count > 64, 8 * count < slots.count { resize(to: slots.count / 2) }
  }

  /// What was placed beyond the gap because of what was there moves up (Knuth, TAOCP 6.4, R).
  private mutating func closeGap(at start: Int) {
    var gap = start
    var slot = next(gap)
    while let state = slots[slot] {
      let home = home(of: state.id)
      let isReachable = gap < slot ? gap < home && home <= slot : gap < home || home <= slot
      if !isReachable {
        slots[gap] = state
        slots[slot] = nil
        gap = slot
      }
      slot = next(slot)
    }
  }

  private mutating func resize(to size: Int) {
    let states = values
    slots = [StreamState?](repeating: nil, count: size)
    for state in states { place(state) }
  }

  private mutating func place(_ state: StreamState) {
    var slot = home(of: state.id)
    while slots[slot] != nil { slot = next(slot) }
    slots[slot] = state
  }

  /// How many places are looked at to find `id`, or that it is not there.
  func probes(of id: Int32) -> Int {
    guard count > 0 else { return 0 }
    var (slot, probes) = (home(of: id), 1)
    while let state = slots[slot], state.id != id { (slot, probes) = (next(slot), probes + 1) }
    return probes
  }

  /// The size is a power of two, at least 4. The first product's high half, which the factor
  /// decides on, goes into the second one's highest bits; the golden ratio spreads them where the
  /// factor alone would not.
  private func home(of id: Int32) -> Int {
    var mixed = UInt64(UInt32(bitPattern: id)) &* factor
    mixed ^= mixed >> 32
    mixed &*= 0x9e37_79b9_7f4a_7c15
    return Int(mixed >> UInt64(64 - slots.count.trailingZeroBitCount))
  }

  private func next(_ slot: Int) -> Int { (slot + 1) & (slots.count - 1) }
}
