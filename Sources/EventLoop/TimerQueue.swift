/// A timer set on a loop; see `EventLoop.schedule`.
package struct LoopTimer: Sendable, Hashable {
  fileprivate let slot: UInt32
  fileprivate let generation: UInt32
}

/// Pending timers: a binary heap by deadline, and their actions in slots. A removed timer leaves its
/// entry behind, which is swept when such entries are the majority, so that setting and removing stay
/// cheap: most timers are taken back long before they are due.
struct TimerQueue {
  private var heap: [Entry] = []
  private var slots: [Slot] = []
  private var free: [UInt32] = []

  private struct Entry {
    let deadline: ContinuousClock.Instant
    let timer: LoopTimer
  }

  private struct Slot {
    /// Of the timer that is here now, or of the next.
    var generation: UInt32 = 0
    var action: (@Sendable () -> Void)?
  }

  mutating func insert(
    at deadline: ContinuousClock.Instant,
    _ action: @escaping @Sendable () -> Void
  ) -> LoopTimer {
    let slot = free.popLast() ?? UInt32(slots.count)
    if slot == slots.count { slots.append(Slot()) }
    slots[Int(slot)].action = action
    let timer = LoopTimer(slot: slot, generation: slots[Int(slot)].generation)
    heap.append(Entry(deadline: deadline, timer: timer))
    siftUp(heap.count - 1)
    return timer
  }

  mutating func remove(_ timer: LoopTimer) {
    guard take(timer) != nil, heap.count > 64, heap.count > 2 * count else { return }
    let slots = slots
    heap.removeAll { slots[Int($0.timer.slot)].generation != $0.timer.generation }
    for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(index) }
  }

  /// The timers that are due, earliest first. Each is to be taken by `take` when its turn comes: one before
  /// it may remove it.
  mutating func popDue(at now: ContinuousClock.Instant) -> [LoopTimer] {
    var due: [LoopTimer] = []
    while let first = heap.first, first.deadline <= now || !isPending(first.timer) {
      removeFirst()
      if isPending(first.timer) { due.append(first.timer) }
    }
    return due
  }

  private var count: Int { slots.count - free.count }

  private func isPending(_ timer: LoopTimer) -> Bool {
    slots[Int(timer.slot)].generation == timer.generation
  }

  /// Ends a timer; nil: it was removed.
  mutating func take(_ timer: LoopTimer) -> (@Sendable () -> Void)? {
    guard isPending(timer) else { return nil }
    let slot = Int(timer.slot)
    defer { slots[slot] = Slot(generation: timer.generation &+ 1) }
    free.append(timer.slot)
    return slots[slot].action
  }

  /// Of the first timer, or of one that was removed and stands before it.
  var nextDeadline: ContinuousClock.Instant? { heap.first?.deadline }

  /// For epoll_wait: -1 without timers; rounded up, so that a wait does not end early.
  func millisecondsToNext(from now: ContinuousClock.Instant) -> Int32 {
    guard let first = heap.first else { return -1 }
    let (seconds, attoseconds) = (first.deadline - now).components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let milliseconds =
      min(seconds, 86_400) * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return Int32(milliseconds)
  }

  private mutating func removeFirst() {
    let last = heap.removeLast()
    guard !heap.isEmpty else { return }
    heap[0] = last
    siftDown(0)
  }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].deadline < heap[parent].deadline else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && heap[child].deadline < heap[least].deadline {
        least = child
      }
      guard least != parent else { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
