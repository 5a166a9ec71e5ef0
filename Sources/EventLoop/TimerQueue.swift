/// A timer set on a loop; see `EventLoop.schedule`.
package struct LoopTimer: Sendable, Hashable {
  fileprivate let id: UInt64
}

/// Pending timers: a binary heap by deadline. A removed timer leaves its entry behind, which is
/// swept when such entries are the majority, so that setting and removing stay cheap.
struct TimerQueue {
  private var heap: [Entry] = []
  private var actions: [UInt64: @Sendable () -> Void] = [:]
  private var lastID: UInt64 = 0

  private struct Entry {
    let deadline: ContinuousClock.Instant
    let id: UInt64
  }

  mutating func insert(
    at deadline: ContinuousClock.Instant,
    _ action: @escaping @Sendable () -> Void
  ) -> LoopTimer {
    lastID += 1
    actions[lastID] = action
    heap.append(Entry(deadline: deadline, id: lastID))
    siftUp(heap.count - 1)
    return LoopTimer(id: lastID)
  }

  mutating func remove(_ timer: LoopTimer) {
    guard actions.removeValue(forKey: timer.id) != nil else { return }
    guard heap.count > 64, heap.count > 2 * actions.count else { return }
    heap.removeAll { actions[$0.id] == nil }
    for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(index) }
  }

  /// The actions that are due, earliest first.
  mutating func takeDue(at now: ContinuousClock.Instant) -> [@Sendable () -> Void] {
    var due: [@Sendable () -> Void] = []
    while let first = heap.first, first.deadline <= now || actions[first.id] == nil {
      removeFirst()
      if let action = actions.removeValue(forKey: first.id) { due.append(action) }
    }
    return due
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
