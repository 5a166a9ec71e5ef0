internal import CSQLite

/// A prepared statement. Owns a `sqlite3_stmt`, which keeps its connection.
///
/// `@unchecked Sendable` as its connection: one owner at a time.
@safe struct Statement: ~Copyable, @unchecked Sendable {
  private let handle: OpaquePointer

  @unsafe init(owning handle: OpaquePointer) { unsafe self.handle = handle }

  deinit { unsafe sqlite3_finalize(handle) }

  // MARK: Parameters, from 1

  func bind(_ index: Int32, _ value: Int64) { _ = unsafe sqlite3_bind_int64(handle, index, value) }

  func bind(_ index: Int32, _ bytes: [UInt8]?) {
    guard let bytes else {
      _ = unsafe sqlite3_bind_null(handle, index)
      return
    }
    // An empty array may have no address, which would bind NULL.
    guard !bytes.isEmpty else {
      _ = unsafe sqlite3_bind_zeroblob(handle, index, 0)
      return
    }
    _ = unsafe gh_sqlite_bind_blob(handle, index, bytes, UInt64(bytes.count))
  }

  func bind(_ index: Int32, _ text: String) {
    _ = unsafe gh_sqlite_bind_text(handle, index, text, UInt64(text.utf8.count))
  }

  // MARK: Running

  /// Goes on to the next row.
  ///
  /// - Returns: whether there is one.
  func step() throws(SQLiteError) -> Bool {
    switch unsafe sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let code: throw unsafe SQLiteError(code, of: sqlite3_db_handle(handle))
    }
  }

  /// Makes it ready to run again; its parameters stay.
  func reset() { _ = unsafe sqlite3_reset(handle) }

  /// Runs it once, for what it does.
  func run() throws(SQLiteError) {
    defer { reset() }
    while try step() {}
  }

  // MARK: The row, from 0

  func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

  func isNull(_ column: Int32) -> Bool {
    unsafe sqlite3_column_type(handle, column) == SQLITE_NULL
  }

  func bytes(_ column: Int32) -> [UInt8] {
    let start = unsafe sqlite3_column_blob(handle, column)
    let count = unsafe Int(sqlite3_column_bytes(handle, column))
    return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
  }

  func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }
}
