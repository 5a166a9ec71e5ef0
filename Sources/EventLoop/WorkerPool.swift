internal import CLinux
internal import Synchronization

/// A few named threads for work that blocks: files, names, child processes.
///
/// Its queue is bounded: beyond the bound `run` throws `Refused`, so that a caller hears of overload
/// at once. Threads start with the first work and end with the pool; what it took by then is done.
package final class WorkerPool: Sendable {
  /// The work was not taken.
  package struct Refused: Error, CustomStringConvertible {
    package let pool: String
    package let isClosed: Bool

    package var description: String {
      isClosed
        ? "'\(pool)' is closed; it takes no more work"
        : "too much work waits for '\(pool)', or no thread of it could be started; try again later"
    }
  }

  package typealias StartThread =
    @Sendable (_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) -> Void

  private let name: String
  private let work: Work
  private let startThread: StartThread

  /// Tests start the threads in their own way.
  package init(
    name: String,
    threads: Int,
    maxQueued: Int = 1_024,
    startThread: @escaping StartThread = { name, body throws(SystemError) in
      try Thread.start(named: name, body)
    }
  ) {
    self.name = name
    self.startThread = startThread
    work = Work(threads: threads, maxQueued: maxQueued)
  }

  deinit { work.close() }

  /// Takes no more work, and ends the threads after what it has taken.
  package func close() { work.close() }

  /// Runs `body` on one of the threads and gives what it returns.
  package func run<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      do {
        try submit { continuation.resume(with: Result(catching: body)) }
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }

  /// Runs `work` on one of the threads.
  package func submit(_ work: @escaping @Sendable () -> Void) throws(Refused) {
    let added = self.work.add(work) { waiting in
      try? startThread(name) { while waiting.doNext() {} }
    }
    switch added {
    case .taken: break
    case .full: throw Refused(pool: name, isClosed: false)
    case .closed: throw Refused(pool: name, isClosed: true)
    }
  }
}

/// What waits for a pool's threads. They hold it, so that it outlives the pool until it is empty.
private final class Work: Sendable {
  typealias Item = @Sendable () -> Void

  enum OnAdd { case taken, full, closed }

  private let threads: Int
  private let maxQueued: Int
  private let state: Mutex<State>
  /// Signalled for each item, and once for the end.
  private let available = Semaphore()

  private struct State {
    var queue: [Item] = []
    var head = 0
    var threadsToStart: Int
    var isClosed = false

    var queued: Int { queue.count - head }

    mutating func next() -> Item? {
      guard head < queue.count else { return nil }
      let item = queue[head]
      head += 1
      if head == queue.count {
        queue.removeAll(keepingCapacity: true)
        head = 0
      }
      return item
    }
  }

  init(threads: Int, maxQueued: Int) {
    self.threads = threads
    self.maxQueued = maxQueued
    state = Mutex(State(threadsToStart: threads))
  }

  /// `startThread` gives `nil` when it cannot: its share is left to the others, or to the next `add`, and
  /// where there are no others nothing is taken.
  func add(_ item: @escaping Item, startThread: (Work) -> Void?) -> OnAdd {
    let result = state.withLock { state -> OnAdd in
      if state.isClosed { return .closed }
      guard state.queued < maxQueued else { return .full }
      // Under the lock, a few times in a pool's life: else others would count on a thread that does not come.
      if state.threadsToStart > 0, startThread(self) != nil {
        state.threadsToStart -= 1
      } else if state.threadsToStart == threads, threads > 0 {
        return .full
      }
      state.queue.append(item)
      return .taken
    }
    if result == .taken { available.signal() }
    return result
  }

  func close() {
    let isFirst = state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    if isFirst { available.signal() }
  }

  /// Waits for an item and does it.
  ///
  /// - Returns: whether the thread is to go on: false when closed and empty.
  func doNext() -> Bool {
    available.wait()
    guard let item = state.withLock({ $0.next() }) else {
      // The signal of the end: all threads are to see it.
      available.signal()
      return false
    }
    item()
    return true
  }
}

/// A counting semaphore (futex under sem_t's interface would need a pinned address; this one is
/// an eventfd, which has none).
private final class Semaphore: Sendable {
  private let descriptor: Descriptor

  init() {
    let number = eventfd(0, Int32(EFD_CLOEXEC | EFD_SEMAPHORE))
    precondition(number >= 0, "no descriptor left for a worker pool's semaphore")
    descriptor = Descriptor(owning: number)
  }

  func signal() { _ = eventfd_write(descriptor.number, 1) }

  func wait() {
    var value: UInt64 = 0
    while unsafe eventfd_read(descriptor.number, &value) != 0 {}
  }
}
