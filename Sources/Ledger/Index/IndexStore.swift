internal import Synchronization

/// Where the index of a ledger lies: an SQLite file of its own beside it. One thread writes, any reads.
///
/// It is not synced: what a crash takes from it is read from the events again.
final class IndexStore: Sendable {
  let path: String
  private let writer: Mutex<IndexWriter?>
  private let readers: Mutex<[IndexReader]>
  /// At first, since a process that was killed may have left a log with what was erased in it.
  private let mustEmptyLog = Atomic(true)

  /// - Throws: when it cannot be made; one that is damaged is to be removed.
  init(_ path: String, origin: String) throws(SQLiteError) {
    self.path = path
    let database = try Database(path, .create)
    try database.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768; "
        // So that what was erased is gone from freed pages too.
        + "PRAGMA secure_delete = ON; "
        + "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = 8192"
    )
    if try database.integer("PRAGMA user_version") == 0 {
      try database.transaction { () throws(SQLiteError) in
        try database.execute(IndexSchema.tables)
        try database.execute("PRAGMA user_version = \(IndexSchema.version)")
      }
    }
    // Not of the version: a file without it has all that events say.
    try database.execute("CREATE INDEX IF NOT EXISTS call_key_by_end ON call_key (ended)")
    writer = Mutex(try IndexWriter(database))
    readers = Mutex([])
    try write { (writer) throws(SQLiteError) in try writer.begin(origin) }
  }

  /// Whether the file at `path` is one of ours for this ledger, and not ahead of it.
  static func isGood(_ path: String, origin: String, last: UInt64) -> Bool {
    guard let database = try? Database(path, .readOnly),
      (try? database.integer("PRAGMA user_version")) == IndexSchema.version,
      let statement = try? database.prepare("SELECT origin, sequence FROM state"),
      (try? statement.step()) == true
    else { return false }
    let found = statement.text(0)
    return (found.isEmpty || found == origin) && statement.integer(1) <= Int64(clamping: last)
  }

  func close() {
    readers.withLock { $0.removeAll() }
    writer.withLock { $0 = nil }
  }

  /// Up to which event it goes.
  func sequence() throws(SQLiteError) -> UInt64 {
    try read { (reader) throws(SQLiteError) in
      UInt64(try reader.database.integer("SELECT sequence FROM state") ?? 0)
    }
  }

  func write(
    _ body: (borrowing IndexWriter) throws(SQLiteError) -> Void
  ) throws(SQLiteError) {
    let result: Result<Void, SQLiteError> = writer.withLock { writer in
      guard let open = writer.take() else { return .success(()) }
      let done: Result<Void, SQLiteError>
      do throws(SQLiteError) {
        try body(open)
        done = .success(())
      } catch {
        done = .failure(error)
      }
      writer = consume open
      return done
    }
    try result.get()
  }

  /// Something was deleted that must be nowhere any more.
  func erased() { mustEmptyLog.store(true, ordering: .releasing) }

  /// Empties the log after that: it may have older copies of it.
  ///
  /// - Returns: false when somebody reads, or the disk refuses; then it stays due.
  func wipe() -> Bool {
    guard mustEmptyLog.exchange(false, ordering: .acquiring) else { return true }
    var isEmpty = false
    try? write { (writer) throws(SQLiteError) in isEmpty = try writer.database.emptyLog() }
    if !isEmpty { erased() }
    return isEmpty
  }

  func read<Value>(
    _ body: (IndexReader) throws(SQLiteError) -> Value
  ) throws(SQLiteError) -> Value {
    let reader: IndexReader
    if let idle = readers.withLock({ $0.popLast() }) {
      reader = idle
    } else {
      reader = try IndexReader(path)
    }
    let value = try body(reader)
    readers.withLock { $0.append(reader) }
    return value
  }
}
