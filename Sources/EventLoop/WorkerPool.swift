internal import CLinux
internal import Synchronization

/// A few named threads for work that blocks: files, names, child processes.
///
/// Its queue is bounded: beyond the bound `run` throws `Full`, so that a caller hears of overload
/// at once. Threads start with the first work and end with the pool.
package final class WorkerPool: Sendable {
  package struct Full: Error, CustomStringConvertible {
    package let pool: String
    package var description: String { "too much work waits for '\(pool)'; try again later" }
  }

  private let name: String
  private let maxQueued: Int
  private let state: Mutex<State>
  private let available: Semaphore

  private struct State {
    var queue: [@Sendable () -> Void] = []
    var head = 0
    var threadsToStart: Int
    var isClosed = false

    var queued: Int { queue.count - head }

    mutating func next() -> (@Sendable () -> Void)? {
      guard head < queue.count else { return nil }
      let work = queue[head]
      head += 1
      if head == queue.count {
        queue.removeAll(keepingCapacity: true)
        head = 0
      }
      return work
    }
  }

  package init(name: String, threads: Int, maxQueued: Int = 1_024) {
    self.name = name
    self.maxQueued = maxQueued
    self.state = Mutex(State(threadsToStart: threads))
    self.available = Semaphore()
  }

  deinit { close() }

  /// Ends the threads after the work at hand.
  package func close() {
    state.withLock { $0.isClosed = true }
    available.signal()
  }

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
  package func submit(_ work: @escaping @Sendable () -> Void) throws(Full) {
    let (isAccepted, mustStart) = state.withLock { state in
      guard state.queued < maxQueued, !state.isClosed else { return (false, false) }
      state.queue.append(work)
      guard state.threadsToStart > 0 else { return (true, false) }
      state.threadsToStart -= 1
      return (true, true)
    }
    guard isAccepted else { throw Full(pool: name) }
    available.signal()
    guard mustStart else { return }
    let (name, available) = (name, available)
    // A thread that cannot start leaves its share to the others, or to the next `submit`.
    do {
      try Thread.start(named: name) { [weak self] in
        while true {
          available.wait()
          guard let self, self.runNext() else { return available.signal() }
        }
      }
    } catch {
      state.withLock { $0.threadsToStart += 1 }
    }
  }

  /// - Returns: whether the thread is to go on.
  private func runNext() -> Bool {
    let (work, isClosed) = state.withLock { ($0.next(), $0.isClosed) }
    work?()
    return !isClosed
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
