internal import Synchronization

/// A value that comes later, once; any number may wait for it.
final class AsyncValue<Value: Sendable>: Sendable {
  private let state = Mutex<State>(.waiting([]))

  private enum State {
    case waiting([CheckedContinuation<Value, Never>])
    case set(Value)
  }

  func set(_ value: Value) {
    let waiters = state.withLock { state -> [CheckedContinuation<Value, Never>] in
      guard case .waiting(let waiters) = state else { return [] }
      state = .set(value)
      return waiters
    }
    for waiter in waiters { waiter.resume(returning: value) }
  }

  /// What was set so far.
  var current: Value? {
    state.withLock { if case .set(let value) = $0 { value } else { nil } }
  }

  var value: Value {
    get async {
      await withCheckedContinuation { continuation in
        let value = state.withLock { state -> Value? in
          switch state {
          case .set(let value): return value
          case .waiting(let waiters):
            state = .waiting(waiters + [continuation])
            return nil
          }
        }
        if let value { continuation.resume(returning: value) }
      }
    }
  }
}
