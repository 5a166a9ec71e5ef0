/// How a ledger is kept.
package struct LedgerOptions: Sendable {
  /// What its checkpoints call it: a name without spaces and `+`, for ever. Only used for a new one.
  package var origin: String
  /// Who writes, for whoever finds the store in use.
  package var holder = "plane"
  /// Where checkpoints go, outside the state folder; nil: nowhere.
  package var checkpointFile: String?
  /// Hears of each checkpoint that is signed, its last event and its note. Called on the notary's
  /// thread, before it is kept, so it only hands on.
  package var checkpointSigned: (@Sendable (_ size: UInt64, _ note: String) -> Void)?
  /// Of that file, what is read at once. It is said to be long from three quarters of it on.
  package var maxCheckpointBytes = 1 << 30
  /// How long after an event its checkpoint may be.
  package var checkpointDelay = Duration.seconds(5)
  /// How long after a failure it is tried again.
  package var retryDelay = Duration.seconds(1)
  /// It is a copy that is gone on from, which becomes its next event; nil: it is not.
  package var restoration: Restoration?
  /// How long an idempotency key stands for its call behind its end, in microseconds.
  package var keyLife: Int64 = 24 * 3_600 * 1_000_000
  /// How often a start says how far it is with the index.
  package var indexNoticeDelay = Duration.seconds(10)
  /// Microseconds since 1970.
  package var clock: @Sendable () -> Int64
  /// Hears of what people should know. Called on the ledger's threads, so it only hands on.
  package var notice: @Sendable (LedgerNotice) -> Void = { _ in }

  /// Says what of an event's body can be searched for; nil: headers only.
  package var describe: (@Sendable (LedgerEvent) -> EventFacts?)?

  /// Hears of each batch that is durable, how many events it had. Called on the ledger's thread.
  package var batchWritten: (@Sendable (Int) -> Void)?

  package init(origin: String, clock: @escaping @Sendable () -> Int64) {
    self.origin = origin
    self.clock = clock
  }
}

/// What people should know of a ledger.
package enum LedgerNotice: Sendable, Equatable {
  /// It cannot be written; new events are refused.
  case failing(LedgerError)
  /// It can be again. So many events waited, so many are missing.
  case resumed(kept: Int, missing: Int)
  /// A checkpoint could not be kept.
  case checkpointFailed(String)
  /// The file of checkpoints will soon be too long to be read at once. What to do then.
  case checkpointsLong(bytes: Int, String)
  /// The index is behind, or is made anew: it has come to so many events, and the ledger is not open before
  /// it has all of them.
  case indexing(done: UInt64, of: UInt64)
  /// It ended with events that could not be written.
  case unwritten(Int)
}

/// What a ledger has done since it was opened.
package struct LedgerStatistics: Sendable, Equatable {
  package internal(set) var lastSequence: UInt64 = 0
  package internal(set) var batches: UInt64 = 0
  package internal(set) var largestBatch = 0
  /// Events that wait to be written.
  package internal(set) var waiting = 0
  package internal(set) var lastCheckpoint: UInt64 = 0
  package internal(set) var isFailing = false
}
