internal import Synchronization

/// A value that comes later, once; any number may wait for it.
final class AsyncValue<Value: Sendable>: Sendable {
  private let state = Mutex(State())

  private struct State {
    var value: Value?
    var waiters: [Int: CheckedContinuation<Value, any Error>] = [:]
    var count = 0
  }

  /// The first value stays.
  func set(_ value: Value) {
    let waiters = state.withLock { state -> [Int: CheckedContinuation<Value, any Error>] in
      guard state.value == nil else { return [:] }
      state.value = value
      defer { state.waiters = [:] }
      return state.waiters
    }
    for waiter in waiters.values { waiter.resume(returning: value) }
  }

  /// What was set so far.
  var current: Value? { state.withLock { $0.value } }

  /// - Throws: `CancellationError`.
  var value: Value {
    get async throws {
      let waiter = state.withLock { state in
        state.count += 1
        return state.count
      }
      return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { wait($0, as: waiter) }
      } onCancel: {
        state.withLock { $0.waiters.removeValue(forKey: waiter) }?
          .resume(throwing: CancellationError())
      }
    }
  }

  private func wait(_ continuation: CheckedContinuation<Value, any Error>, as waiter: Int) {
    let result = state.withLock { state -> Result<Value, any Error>? in
      if let value = state.value { return .success(value) }
      // The handler has run, or finds the waiter: a task is cancelled before its handlers are run.
      if Task.isCancelled { return .failure(CancellationError()) }
      state.waiters[waiter] = continuation
      return nil
    }
    if let result { continuation.resume(with: result) }
  }
}
