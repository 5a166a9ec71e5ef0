internal import Synchronization

/// What one transfer's two sides share: curl's thread puts bytes in, one task takes them out.
///
/// One reader at a time.
final class Transfer: Sendable {
  /// A body waits here up to this many bytes before the server has to.
  static let maxBuffered = 256 * 1024

  let request: HTTPRequest
  private let state = Mutex(State())

  init(_ request: HTTPRequest) { self.request = request }

  // MARK: - The thread's side

  /// A whole header block arrived.
  func receive(_ head: HTTPHead) {
    wake { $0.head = head }
  }

  /// - Returns: whether the bytes were taken; if not, the transfer is to be paused.
  func receive(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var taken = false
    wake { state in
      taken = state.buffer.count < Self.maxBuffered
      if taken { unsafe state.buffer.append(contentsOf: bytes) } else { state.paused = true }
    }
    return taken
  }

  /// The transfer is over; `error` is `nil` after a whole response.
  func finish(_ error: HTTPError?) {
    wake { if $0.end == nil { $0.end = error.map { .failed($0) } ?? .complete } }
  }

  // MARK: - The reader's side

  /// Waits for the response's start.
  func head() async throws -> HTTPHead {
    while true {
      let found: HTTPHead? = try state.withLock { state in
        if let head = state.head { return head }
        try state.end?.check()
        guard state.end == nil else { throw HTTPError(code: .cut, reason: "an empty answer") }
        return nil
      }
      if let found { return found }
      try await changed { $0.head != nil || $0.end != nil }
    }
  }

  /// Waits for bytes and takes all there are; `nil` at the end. Says whether curl is paused.
  func take() async throws -> (bytes: [UInt8]?, wasPaused: Bool) {
    while true {
      let found: (bytes: [UInt8]?, wasPaused: Bool)? = try state.withLock { state in
        if !state.buffer.isEmpty { return state.drain() }
        try state.end?.check()
        return state.end == nil ? nil : (nil, false)
      }
      if let found { return found }
      try await changed { !$0.buffer.isEmpty || $0.end != nil }
    }
  }

  /// Waits until `condition` may have become true.
  private func changed(_ condition: @escaping @Sendable (borrowing State) -> Bool) async throws {
    try Task.checkCancellation()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ready = state.withLock { state in
          if condition(state) || state.cancelled { return true }
          state.waiter = continuation
          return false
        }
        if ready { continuation.resume() }
      }
    } onCancel: {
      wake { $0.cancelled = true }
    }
    try Task.checkCancellation()
  }

  private func wake(_ change: (inout State) -> Void) {
    let waiter = state.withLock { state in
      change(&state)
      return state.waiter.take()
    }
    waiter?.resume()
  }

  private struct State {
    var head: HTTPHead?
    var buffer: [UInt8] = []
    var paused = false
    var cancelled = false
    var end: End?
    var waiter: CheckedContinuation<Void, Never>?

    mutating func drain() -> (bytes: [UInt8]?, wasPaused: Bool) {
      defer {
        buffer = []
        paused = false
      }
      return (buffer, paused)
    }
  }

  private enum End {
    case complete
    case failed(HTTPError)

    func check() throws(HTTPError) {
      if case .failed(let error) = self { throw error }
    }
  }
}
