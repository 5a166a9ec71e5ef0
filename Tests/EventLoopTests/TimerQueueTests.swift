import Synchronization
import Testing

@testable import EventLoop

@Suite struct `Timer queue` {
  private let start = ContinuousClock.now

  @Test func `timers fall due in the order of their deadlines`() {
    var queue = TimerQueue()
    let order = Recorder()
    for offset in [5, 1, 4, 2, 3] {
      _ = queue.insert(at: start + .seconds(offset)) { order.note(offset) }
    }
    for timer in queue.popDue(at: start + .seconds(3)) { queue.take(timer)?() }
    #expect(order.notes == [1, 2, 3])
    for timer in queue.popDue(at: start + .seconds(9)) { queue.take(timer)?() }
    #expect(order.notes == [1, 2, 3, 4, 5])
  }

  @Test func `a removed timer does not fire, and no other goes with it`() {
    var queue = TimerQueue()
    let order = Recorder()
    let timers = (0..<200).map { number in
      queue.insert(at: start + .seconds(number % 7)) { order.note(number) }
    }
    for timer in timers.dropLast(3) { queue.remove(timer) }
    for timer in queue.popDue(at: start + .seconds(9)) { queue.take(timer)?() }
    #expect(Set(order.notes) == [197, 198, 199])
  }

  @Test func `one that was removed by another that is due with it does not fire`() {
    var queue = TimerQueue()
    let order = Recorder()
    let timers = (1...3).map { number in
      queue.insert(at: start + .seconds(number)) { order.note(number) }
    }
    for timer in queue.popDue(at: start + .seconds(9)) {
      queue.take(timer)?()
      queue.remove(timers[1])
    }
    #expect(order.notes == [1, 3])
  }

  @Test func `a wait is rounded up, so that it does not end early`() {
    var queue = TimerQueue()
    #expect(queue.millisecondsToNext(from: start) == -1)
    _ = queue.insert(at: start + .microseconds(1_001)) {}
    #expect(queue.millisecondsToNext(from: start) == 2)
    #expect(queue.millisecondsToNext(from: start + .seconds(1)) == 0)
  }
}

/// What happened, in its order.
final class Recorder: Sendable {
  private let list = Mutex<[Int]>([])

  func note(_ number: Int) { list.withLock { $0.append(number) } }

  var notes: [Int] { list.withLock { $0 } }
}
