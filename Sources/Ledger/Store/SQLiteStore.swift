internal import Synchronization

/// Events in one SQLite file, in WAL mode: one writer, any number of readers that do not wait for it.
final class SQLiteStore: EventStore {
  private let path: String
  private let writer: Mutex<Writer?>
  private let readers: Readers
  /// At first, since a process that was killed may have left a log with a destroyed key in it.
  private let mustEmptyLog = Atomic(true)
  private let news = Mutex<[@Sendable (UInt64) -> Void]>([])

  /// Opens the file for writing, and makes it where there is none.
  ///
  /// - Throws: `newer`, `damaged`, `failing`, `full`.
  init(_ path: String) throws(LedgerError) {
    self.path = path
    let database = try LedgerError.of(path) { () throws(SQLiteError) in
      try Database(path, .create)
    }
    try LedgerError.of(path) { () throws(SQLiteError) in try Self.prepare(database) }
    try SQLiteSchema.migrate(database, path)
    writer = Mutex(try Self.makeWriter(database, path))
    readers = Readers(path)
    wipe()
  }

  /// Opens a file that is there, to read it only. Nobody's lock is asked for.
  ///
  /// - Throws: `newer`, `damaged`, `failing`.
  init(reading path: String) throws(LedgerError) {
    self.path = path
    writer = Mutex(nil)
    readers = Readers(path)
    let database = try LedgerError.of(path) { () throws(SQLiteError) in
      try Database(path, .readOnly)
    }
    guard try SQLiteSchema.check(database, path) > 0 else {
      throw LedgerError(.damaged, "\(path) is empty; no plane has written to it")
    }
  }

  private static func makeWriter(
    _ database: consuming Database,
    _ path: String
  ) throws(LedgerError) -> Writer? {
    do {
      return try Writer(database)
    } catch {
      throw LedgerError(error, path)
    }
  }

  /// Writes no more; what is in the log goes into the file.
  func close() {
    readers.close()
    writer.withLock { $0 = nil }
  }

  /// Set for each connection that writes.
  ///
  /// FULL syncs the log at each commit, so that what was said to be written is. Freed pages are
  /// overwritten, so that a destroyed key is gone from the file. The log goes back into the file
  /// after 16 MiB: seldom enough for a lone commit to be one sync.
  static func prepare(_ database: borrowing Database) throws(SQLiteError) {
    try database.execute(
      """
      PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
      PRAGMA wal_autocheckpoint = 4096; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;
      PRAGMA trusted_schema = OFF
      """
    )
  }

  func lease(as holder: String, atLeast epoch: Int64) throws(LedgerError) -> WriteLease {
    try write { (writer) throws(SQLiteError) in try writer.lease(holder, atLeast: epoch) }
  }

  func append(_ batch: StoreBatch, under lease: WriteLease) throws(LedgerError) {
    let isFenced: Bool
    do {
      isFenced = try write { (writer) throws(SQLiteError) in
        try !writer.append(batch, under: lease)
      }
    } catch {
      // A batch whose sync failed lies in the log as a whole, and a process that opens the file after
      // a crash would take it for written: what was refused would be done. So it is written over,
      // before anybody hears of it. Where that cannot be written either, the log's end was not.
      try? write { (writer) throws(SQLiteError) in try writer.touch() }
      throw error
    }
    if !isFenced, !batch.destroyedKeys.isEmpty { mustEmptyLog.store(true, ordering: .relaxed) }
    wipe()
    guard !isFenced else {
      throw LedgerError(
        .taken,
        "another plane has taken the ledger \(path) over; stop this one, or that one"
      )
    }
    guard let last = batch.events.last?.sequence else { return }
    for hear in news.withLock({ $0 }) { hear(last) }
  }

  var mustWipe: Bool { mustEmptyLog.load(ordering: .relaxed) }

  /// The log may have an older copy of a destroyed key. Where somebody reads, or the disk refuses, it
  /// stays due: the key's end is durable, so this is no failure of the batch.
  func wipe() {
    guard mustWipe else { return }
    let isEmpty = try? write { (writer) throws(SQLiteError) in try writer.emptyLog() }
    if isEmpty == true { mustEmptyLog.store(false, ordering: .relaxed) }
  }

  func follow(_ news: @escaping @Sendable (UInt64) -> Void) {
    self.news.withLock { $0.append(news) }
  }

  func read(from sequence: UInt64, limit: Int) throws(LedgerError) -> [StoredEvent] {
    try readers.with { (reader) throws(SQLiteError) in
      try reader.events(from: sequence, limit: limit)
    }
  }

  func lastSequence() throws(LedgerError) -> UInt64 {
    let last = try readers.with { (reader) throws(SQLiteError) in
      try reader.database.integer("SELECT max(sequence) FROM event") ?? 0
    }
    guard last >= 0 else {
      throw LedgerError(.damaged, "the ledger's events have numbers below 0: they were changed")
    }
    return UInt64(last)
  }

  func key(named name: String) throws(LedgerError) -> StoredKey? {
    try readers.with { (reader) throws(SQLiteError) in
      reader.keyByName.bind(1, name)
      defer { reader.keyByName.reset() }
      return try Reader.key(reader.keyByName)
    }
  }

  func key(_ scope: Int64) throws(LedgerError) -> StoredKey? {
    try readers.with { (reader) throws(SQLiteError) in
      reader.keyByScope.bind(1, scope)
      defer { reader.keyByScope.reset() }
      return try Reader.key(reader.keyByScope)
    }
  }

  func lastKeyScope() throws(LedgerError) -> Int64 {
    try readers.with { (reader) throws(SQLiteError) in
      try reader.database.integer("SELECT max(scope) FROM body_key") ?? 0
    }
  }

  func tree(atMost size: UInt64) throws(LedgerError) -> CompactRange {
    let found = try readers.with { (reader) throws(SQLiteError) in try reader.tree(atMost: size) }
    guard let found else {
      throw LedgerError(
        .damaged,
        "the ledger \(path) has a tree that cannot be; run: gatehouse audit verify"
      )
    }
    return found
  }

  func trees() throws(LedgerError) -> [CompactRange] {
    try readers.with { (reader) throws(SQLiteError) in try reader.trees() }
  }

  private func write<Value: Sendable>(
    _ body: (borrowing Writer) throws(SQLiteError) -> Value
  ) throws(LedgerError) -> Value {
    let result: Result<Value, LedgerError> = writer.withLock { writer in
      // Taken out and put back: what can be neither copied nor lent twice.
      guard let open = writer.take() else {
        return .failure(LedgerError(.closed, "the ledger is closed"))
      }
      let done: Result<Value, LedgerError>
      do throws(SQLiteError) {
        done = .success(try body(open))
      } catch {
        done = .failure(LedgerError(error, path))
      }
      writer = consume open
      return done
    }
    return try result.get()
  }
}

/// The connection that writes, with its statements.
private struct Writer: ~Copyable {
  private let database: Database
  private let insertEvent: Statement
  private let insertKey: Statement
  private let destroyKey: Statement
  private let insertTree: Statement
  private let epoch: Statement

  init(_ database: consuming Database) throws(SQLiteError) {
    let insertEvent = try database.prepare("INSERT INTO event VALUES (?, ?, ?, ?)")
    let insertKey = try database.prepare("INSERT INTO body_key VALUES (?, ?, ?)")
    let destroyKey = try database.prepare("UPDATE body_key SET wrapped = NULL WHERE scope = ?")
    let insertTree = try database.prepare("INSERT OR REPLACE INTO tree VALUES (?, ?)")
    let epoch = try database.prepare("SELECT epoch FROM writer")
    self.database = database
    self.insertEvent = insertEvent
    self.insertKey = insertKey
    self.destroyKey = destroyKey
    self.insertTree = insertTree
    self.epoch = epoch
  }

  func lease(_ holder: String, atLeast epoch: Int64) throws(SQLiteError) -> WriteLease {
    let take = try database.prepare("UPDATE writer SET epoch = max(epoch + 1, ?), holder = ?")
    take.bind(1, epoch)
    take.bind(2, holder)
    try database.transaction { () throws(SQLiteError) in try take.run() }
    return WriteLease(epoch: try database.integer("SELECT epoch FROM writer") ?? 0)
  }

  /// - Returns: false when the lease is over; nothing was written then.
  func append(_ batch: StoreBatch, under lease: WriteLease) throws(SQLiteError) -> Bool {
    var isMine = true
    try database.transaction { () throws(SQLiteError) in
      defer { epoch.reset() }
      isMine = try epoch.step() && epoch.integer(0) == lease.epoch
      if isMine { try insert(batch) }
    }
    return isMine
  }

  func emptyLog() throws(SQLiteError) -> Bool { try database.emptyLog() }

  /// A transaction at the log's end that changes nothing of worth: a space behind the holder's name,
  /// since SQLite writes no page whose bytes stay.
  func touch() throws(SQLiteError) {
    try database.transaction { () throws(SQLiteError) in
      try database.execute(
        "UPDATE writer SET holder = iif(holder LIKE '% ', rtrim(holder), holder || ' ')"
      )
    }
  }

  private func insert(_ batch: StoreBatch) throws(SQLiteError) {
    for key in batch.newKeys {
      insertKey.bind(1, key.scope)
      insertKey.bind(2, key.name)
      insertKey.bind(3, key.wrapped)
      try insertKey.run()
    }
    for event in batch.events {
      insertEvent.bind(1, Int64(event.sequence))
      insertEvent.bind(3, event.scope)
      try insertEvent.run((2, event.header), (4, event.body))
    }
    for scope in batch.destroyedKeys {
      destroyKey.bind(1, scope)
      try destroyKey.run()
    }
    guard let tree = batch.tree else { return }
    insertTree.bind(1, Int64(tree.size))
    insertTree.bind(2, tree.bytes)
    try insertTree.run()
  }
}
