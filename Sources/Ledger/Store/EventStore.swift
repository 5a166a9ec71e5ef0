/// An event as it lies in the store.
struct StoredEvent: Equatable, Sendable {
  let sequence: UInt64
  /// Canonical bytes; what the tree hashes.
  let header: [UInt8]
  /// Which key the body is sealed with; 0: there is none.
  var scope: Int64 = 0
  var body: [UInt8]?
}

/// A key that seals bodies, itself sealed.
struct StoredKey: Equatable, Sendable {
  let scope: Int64
  /// What it is the key of.
  let name: String
  /// Nil: destroyed.
  let wrapped: [UInt8]?
}

/// The right to write, fenced: who takes it later ends it.
struct WriteLease: Equatable, Sendable {
  let epoch: Int64
}

/// What becomes durable together, or not at all.
struct StoreBatch: Sendable {
  var events: [StoredEvent] = []
  var newKeys: [StoredKey] = []
  /// Scopes whose keys are destroyed.
  var destroyedKeys: [Int64] = []
  /// The tree behind the last event, at some sizes only.
  var tree: CompactRange?
}

/// Where events lie: SQLite now; PostgreSQL beside it where one machine is outgrown.
///
/// All calls block, so none is made on a loop. `append` is called by one thread; the others by any.
protocol EventStore: AnyObject, Sendable {
  /// Takes the right to write; another's ends. The lease's number is above all before, and at least
  /// `epoch`.
  func lease(as holder: String, atLeast epoch: Int64) throws(LedgerError) -> WriteLease
  /// Returns when the batch is durable. Nothing of it is there when it throws.
  func append(_ batch: StoreBatch, under lease: WriteLease) throws(LedgerError)
  /// Whether a copy of a destroyed key may lie beside the events yet, since readers were in the way of
  /// wiping it out.
  var mustWipe: Bool { get }
  /// Tries that again, as each `append` does; waits for nobody. Called by the thread that appends.
  func wipe()
  /// At most `limit` events from a sequence number on, in order.
  func read(from sequence: UInt64, limit: Int) throws(LedgerError) -> [StoredEvent]
  /// Calls `news` with the last sequence number after each batch, on the thread that wrote it.
  func follow(_ news: @escaping @Sendable (UInt64) -> Void)

  /// The last sequence number; 0: there is no event yet.
  func lastSequence() throws(LedgerError) -> UInt64
  func key(named name: String) throws(LedgerError) -> StoredKey?
  func key(_ scope: Int64) throws(LedgerError) -> StoredKey?
  func lastKeyScope() throws(LedgerError) -> Int64
  /// The largest tree that was kept with at most `size` leaves; the empty one where none was.
  func tree(atMost size: UInt64) throws(LedgerError) -> CompactRange
  /// All trees that were kept, smallest first. Those that are none are left out.
  func trees() throws(LedgerError) -> [CompactRange]
}
