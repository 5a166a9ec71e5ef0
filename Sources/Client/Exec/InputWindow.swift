internal import Synchronization

/// Standard input on its way: what was read and the command has not taken.
///
/// It is kept so that it can be sent again on another stream when the one it went on was cut. Bounded:
/// input and our acknowledgements of output share a stream, and input that the command doesn't take
/// must leave room for them. One task reads and adds, another one sends.
final class InputWindow: Sendable {
  /// Half of what the plane takes before it holds a stream back.
  private static let limit: UInt64 = 128 * 1024

  enum Item: Equatable, Sendable {
    case chunk(offset: UInt64, [UInt8])
    /// There is no more than so many bytes.
    case end(at: UInt64)
  }

  /// What to send, and on which stream.
  typealias Next = (stream: Int, item: Item)

  private let state = Mutex(State())

  private struct State {
    var pieces: [(offset: UInt64, bytes: [UInt8])] = []
    /// How many of them were sent on the stream there is.
    var sent = 0
    var end: UInt64 = 0
    var taken: UInt64 = 0
    var hasEnded = false
    var isEndSent = false
    var isClosed = false
    /// The stream's number; `isAttached`: there is one.
    var stream = 0
    var isAttached = false
    var reader: CheckedContinuation<Bool, Never>?
    var sender: CheckedContinuation<Next?, Never>?

    /// Whether some may be read; nil when that is not known yet.
    var room: Bool? { isClosed ? false : end - taken < InputWindow.limit ? true : nil }

    /// What to send next, if anything.
    mutating func takeItem() -> Item? {
      guard isAttached else { return nil }
      if sent < pieces.count {
        sent += 1
        return .chunk(offset: pieces[sent - 1].offset, pieces[sent - 1].bytes)
      }
      guard hasEnded, !isEndSent else { return nil }
      isEndSent = true
      return .end(at: end)
    }

    /// Whoever waits and has an answer now.
    mutating func takeAnswered() -> Answered {
      var answered = Answered()
      if let room, let waiter = reader {
        reader = nil
        answered.reader = (waiter, room)
      }
      guard let waiter = sender else { return answered }
      if isClosed {
        answered.sender = (waiter, nil)
      } else if let item = takeItem() {
        answered.sender = (waiter, (stream, item))
      }
      if answered.sender != nil { sender = nil }
      return answered
    }
  }

  private struct Answered: Sendable {
    var reader: (CheckedContinuation<Bool, Never>, Bool)?
    var sender: (CheckedContinuation<Next?, Never>, Next?)?
  }

  // MARK: Reading

  /// Waits until some may be read. One task at a time.
  ///
  /// - Returns: false when no more is wanted, or the task was cancelled.
  func waitForRoom() async -> Bool {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        change { $0.reader = continuation }
      }
    } onCancel: {
      close()
    }
  }

  /// Adds what was read, to be sent.
  func add(_ bytes: [UInt8]) {
    change { state in
      state.pieces.append((state.end, bytes))
      state.end += UInt64(bytes.count)
    }
  }

  /// All was read.
  func finish() { change { $0.hasEnded = true } }

  // MARK: Sending

  /// Waits for what is to be sent next, and on which stream. One task at a time.
  ///
  /// - Returns: nil when no more is wanted, or the task was cancelled.
  func next() async -> Next? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        change { $0.sender = continuation }
      }
    } onCancel: {
      close()
    }
  }

  /// There is a stream, a new one, that can be sent on: what was not taken goes on it.
  func attach(_ stream: Int) {
    change { state in
      state.stream = stream
      state.isAttached = true
      state.sent = 0
      state.isEndSent = false
    }
  }

  /// A stream takes no more; another one may come.
  func detach(_ stream: Int) {
    change { if $0.stream == stream { $0.isAttached = false } }
  }

  func acknowledge(before offset: UInt64) {
    change { state in
      state.taken = min(max(state.taken, offset), state.end)
      let gone = state.pieces.prefix { $0.offset + UInt64($0.bytes.count) <= state.taken }.count
      state.pieces.removeFirst(gone)
      state.sent = max(0, state.sent - gone)
    }
  }

  /// The command is over, or we leave.
  func close() { change { $0.isClosed = true } }

  private func change(_ body: (inout State) -> Void) {
    let answered = state.withLock { state in
      body(&state)
      return state.takeAnswered()
    }
    if let (waiter, room) = answered.reader { waiter.resume(returning: room) }
    if let (waiter, next) = answered.sender { waiter.resume(returning: next) }
  }
}
