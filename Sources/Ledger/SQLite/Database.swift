internal import CSQLite

/// A connection to an SQLite database. Owns a `sqlite3`.
///
/// `@unchecked Sendable`: it has one owner at a time, and is opened without thread-local state.
@safe struct Database: ~Copyable, @unchecked Sendable {
  enum Access { case create, write, readOnly }

  /// Another process that checkpoints or reads holds locks for milliseconds.
  private static let busyMilliseconds: Int32 = 5_000

  private let handle: OpaquePointer

  init(_ path: String, _ access: Access) throws(SQLiteError) {
    let mode =
      switch access {
      case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
      case .write: SQLITE_OPEN_READWRITE
      case .readOnly: SQLITE_OPEN_READONLY
      }
    var handle: OpaquePointer?
    let flags = mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    let code = unsafe sqlite3_open_v2(path, &handle, flags, nil)
    guard code == SQLITE_OK, let opened = unsafe handle else {
      let error = unsafe SQLiteError(code, of: handle)
      unsafe sqlite3_close_v2(handle)
      throw error
    }
    unsafe self.handle = opened
    unsafe sqlite3_busy_timeout(opened, Self.busyMilliseconds)
  }

  deinit { unsafe sqlite3_close_v2(handle) }

  /// Runs statements that give nothing back.
  func execute(_ sql: String) throws(SQLiteError) {
    let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw unsafe SQLiteError(code, of: handle) }
  }

  func prepare(_ sql: String) throws(SQLiteError) -> Statement {
    var statement: OpaquePointer?
    let code = unsafe sqlite3_prepare_v3(
      handle,
      sql,
      -1,
      UInt32(SQLITE_PREPARE_PERSISTENT),
      &statement,
      nil
    )
    guard code == SQLITE_OK, let statement = unsafe statement else {
      throw unsafe SQLiteError(code, of: handle)
    }
    return unsafe Statement(owning: statement)
  }

  /// The one number that a query gives; nil for no row.
  func integer(_ sql: String) throws(SQLiteError) -> Int64? {
    let statement = try prepare(sql)
    return try statement.step() ? statement.integer(0) : nil
  }

  /// Brings the log into the file, and empties it. Nobody is waited for: a copy that is made reads for
  /// as long as it takes.
  ///
  /// - Returns: false when somebody reads, so that the log stays as it is.
  func emptyLog() throws(SQLiteError) -> Bool {
    unsafe sqlite3_busy_timeout(handle, 0)
    defer { unsafe sqlite3_busy_timeout(handle, Self.busyMilliseconds) }
    // Its row begins with 1 where it was in the way of somebody; that is no error to SQLite.
    return try integer("PRAGMA wal_checkpoint(TRUNCATE)") == 0
  }

  /// Writes what is there at one moment to a file at `path`, which is empty. Writers go on meanwhile;
  /// their log cannot be shortened until this returns. It is not synced.
  func copy(to path: String) throws(SQLiteError) {
    let statement = try prepare("VACUUM INTO ?")
    statement.bind(1, path)
    try statement.run()
  }

  /// Runs `body` in a transaction: all of it is durable when this returns, or none.
  func transaction(_ body: () throws(SQLiteError) -> Void) throws(SQLiteError) {
    try execute("BEGIN IMMEDIATE")
    do {
      try body()
      try execute("COMMIT")
    } catch {
      // Some failures have rolled back already.
      if unsafe sqlite3_get_autocommit(handle) == 0 { try? execute("ROLLBACK") }
      throw error
    }
  }
}
