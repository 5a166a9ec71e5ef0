import Synchronization

/// A value that a test waits for, and others change.
final class Watched<Value: Sendable>: Sendable {
  private struct State {
    var value: Value
    var waiters: [Waiter] = []
  }

  private struct Waiter {
    let id: UInt64
    let isEnough: @Sendable (Value) -> Bool
    let continuation: CheckedContinuation<Value, Never>
  }

  private let state: Mutex<State>

  init(_ value: Value) { state = Mutex(State(value: value)) }

  var value: Value { state.withLock { $0.value } }

  @discardableResult
  func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
    let (result, ready, value) = state.withLock { state in
      let result = body(&state.value)
      let ready = state.waiters.filter { $0.isEnough(state.value) }
      state.waiters.removeAll { $0.isEnough(state.value) }
      return (result, ready, state.value)
    }
    for waiter in ready { waiter.continuation.resume(returning: value) }
    return result
  }

  /// The value, once it is as wanted; as it is when the test's time limit is reached.
  @discardableResult
  func wait(_ isEnough: @escaping @Sendable (Value) -> Bool) async -> Value {
    let id = UInt64.random(in: 0 ... .max)
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let value = state.withLock { state -> Value? in
          if Task.isCancelled || isEnough(state.value) { return state.value }
          let waiter = Waiter(id: id, isEnough: isEnough, continuation: continuation)
          state.waiters.append(waiter)
          return nil
        }
        if let value { continuation.resume(returning: value) }
      }
    } onCancel: {
      giveUp(id)
    }
  }

  private func giveUp(_ id: UInt64) {
    let (waiter, value) = state.withLock { state in
      defer { state.waiters.removeAll { $0.id == id } }
      return (state.waiters.first { $0.id == id }, state.value)
    }
    waiter?.continuation.resume(returning: value)
  }
}
