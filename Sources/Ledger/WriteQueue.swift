internal import Synchronization

/// What waits for the writer, in order.
///
///     open ──batch failed──▶ failing ──a batch was written──▶ open
///       └──────────close──────▶ closed ◀──────close────────────┘
///
/// Bound: who waits for its event has one in it, so it is as long as there are writers. Facts are
/// told by nobody who waits; there are a few for each event that was waited for, so they are bounded
/// with those. While it fails, `maxFacts` and `maxFactBytes` bound them, and what is beyond is
/// counted and told of when it goes on.
final class WriteQueue: Sendable {
  static let maxBatch = 1_000
  static let maxFacts = 65_536
  static let maxFactBytes = 64 << 20

  enum OnAdd: Equatable {
    /// The writer is to be called.
    case taken(mustCall: Bool)
    case refused(LedgerError)
  }

  private struct State {
    var pending: [Pending] = []
    var head = 0
    var isCalled = false
    var failure: LedgerError?
    var isClosed = false
    var factBytes = 0
    var missing = 0

    var count: Int { pending.count - head }
  }

  private let state = Mutex(State())
  private let clock: @Sendable () -> Int64

  init(clock: @escaping @Sendable () -> Int64) { self.clock = clock }

  var count: Int { state.withLock { $0.count } }
  var failure: LedgerError? { state.withLock { $0.failure } }

  func add(_ pending: Pending) -> OnAdd {
    state.withLock { state in
      guard !state.isClosed else {
        return .refused(LedgerError(.closed, "the ledger is closed; the plane is stopping"))
      }
      if let failure = state.failure {
        guard pending.isFact else { return .refused(failure) }
        let bytes = state.factBytes + pending.bytes()
        guard state.count < Self.maxFacts, bytes <= Self.maxFactBytes else {
          state.missing += 1
          return .taken(mustCall: false)
        }
        state.factBytes = bytes
      }
      // In the lock, so that times go the way of sequence numbers.
      pending.time = clock()
      state.pending.append(pending)
      // While it fails, a timer calls.
      guard !state.isCalled, state.failure == nil else { return .taken(mustCall: false) }
      state.isCalled = true
      return .taken(mustCall: true)
    }
  }

  /// The next batch. An empty one: the writer is done, and will be called again.
  func take() -> [Pending] {
    state.withLock { state in
      if state.head == 0, state.pending.count <= Self.maxBatch {
        // The whole of it, without a copy.
        let batch = state.pending
        state.pending = []
        if batch.isEmpty { state.isCalled = false }
        return batch
      }
      let batch = Array(state.pending[state.head...].prefix(Self.maxBatch))
      state.head += batch.count
      if state.head == state.pending.count {
        state.pending.removeAll(keepingCapacity: state.head < 4_096)
        state.head = 0
      } else if state.head >= 16_384 {
        state.pending.removeFirst(state.head)
        state.head = 0
      }
      if batch.isEmpty { state.isCalled = false }
      return batch
    }
  }

  /// A batch could not be written: its facts come back, and all else that waits is given up.
  ///
  /// - Returns: what is given up.
  func fail(_ batch: [Pending], _ failure: LedgerError) -> [Pending] {
    state.withLock { state in
      for pending in batch { pending.takeApart() }
      let all = batch + state.pending[state.head...]
      state.pending = all.filter(\.isFact)
      state.head = 0
      state.factBytes = state.pending.reduce(0) { $0 + $1.bytes() }
      state.isCalled = false
      state.failure = failure
      return all.filter { !$0.isFact }
    }
  }

  /// It goes on, and the writer with what waited.
  ///
  /// - Returns: how many facts are missing.
  func resume() -> Int {
    state.withLock { state in
      state.failure = nil
      state.isCalled = true
      state.factBytes = 0
      defer { state.missing = 0 }
      return state.missing
    }
  }

  var missing: Int { state.withLock { $0.missing } }

  func close() { state.withLock { $0.isClosed = true } }
}
