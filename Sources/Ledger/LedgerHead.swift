internal import Synchronization

/// How far the ledger is, for those who follow it.
final class LedgerHead: Sendable {
  private struct State {
    var last: UInt64
    var isEnded = false
    var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    var nextWaiter: UInt64 = 0
  }

  private let state: Mutex<State>

  init(_ last: UInt64) { state = Mutex(State(last: last)) }

  var last: UInt64 { state.withLock { $0.last } }

  func grew(to last: UInt64) {
    let waiters = state.withLock { state in
      state.last = max(state.last, last)
      return Self.take(&state)
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Nobody waits any more, nor will.
  func end() {
    let waiters = state.withLock { state in
      state.isEnded = true
      return Self.take(&state)
    }
    for waiter in waiters { waiter.resume() }
  }

  private static func take(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
    defer { state.waiters.removeAll(keepingCapacity: true) }
    return Array(state.waiters.values)
  }

  /// Waits until there is an event with at least this number.
  ///
  /// - Returns: whether there is; false when the ledger was closed or the task cancelled.
  func reaches(_ sequence: UInt64) async -> Bool {
    while !Task.isCancelled {
      let (last, isEnded) = state.withLock { ($0.last, $0.isEnded) }
      if last >= sequence { return true }
      if isEnded { return false }
      await news(beyond: last)
    }
    return false
  }

  private func news(beyond last: UInt64) async {
    let number = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isNews = state.withLock { state in
          guard state.last <= last, !state.isEnded, !Task.isCancelled else { return true }
          state.waiters[number] = continuation
          return false
        }
        if isNews { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
    }
  }
}
