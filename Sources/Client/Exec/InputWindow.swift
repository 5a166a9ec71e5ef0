internal import Synchronization

/// How much standard input may be on its way: it and our acknowledgements of output share a stream,
/// and input that the command doesn't take must leave room for them.
final class InputWindow: Sendable {
  /// Half of what the plane takes before it holds a stream back.
  private static let limit: UInt64 = 128 * 1024

  private let state = Mutex(State())

  private struct State {
    var sent: UInt64 = 0
    var taken: UInt64 = 0
    var isClosed = false
    var waiter: CheckedContinuation<Bool, Never>?

    /// Whether some may be sent; `nil` when that is not known yet.
    var answer: Bool? { isClosed ? false : sent - taken < InputWindow.limit ? true : nil }

    /// Who waits, if there is an answer now.
    mutating func takeAnswered() -> (CheckedContinuation<Bool, Never>, Bool)? {
      guard let answer, let waiter else { return nil }
      self.waiter = nil
      return (waiter, answer)
    }
  }

  /// Waits until some may be sent. One task at a time.
  ///
  /// - Returns: false when no more is wanted, or the task was cancelled.
  func waitForRoom() async -> Bool {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        change { $0.waiter = continuation }
      }
    } onCancel: {
      close()
    }
  }

  /// - Returns: the position of the first byte of the `count` that go now.
  func advance(by count: Int) -> UInt64 {
    state.withLock { state in
      defer { state.sent += UInt64(count) }
      return state.sent
    }
  }

  var position: UInt64 { state.withLock { $0.sent } }

  func acknowledge(before offset: UInt64) {
    change { $0.taken = min(max($0.taken, offset), $0.sent) }
  }

  /// The command is over, or we leave.
  func close() { change { $0.isClosed = true } }

  private func change(_ body: (inout State) -> Void) {
    let answered = state.withLock { state in
      body(&state)
      return state.takeAnswered()
    }
    if let (waiter, answer) = answered { waiter.resume(returning: answer) }
  }
}
