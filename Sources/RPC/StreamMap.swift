/// The streams of a connection by their numbers.
///
/// A table with open addressing: numbers come in order, so that half the number, cut to the table's
/// size, hardly ever collides. A `Dictionary` hashes with a key of its own, and each frame looks up
/// a stream several times.
struct StreamMap {
  private var slots: [StreamState?] = []
  private(set) var count = 0

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

  /// The size is a power of two.
  private func home(of id: Int32) -> Int { Int(id >> 1) & (slots.count - 1) }
  private func next(_ slot: Int) -> Int { (slot + 1) & (slots.count - 1) }
}
