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

  /// Runs it once with two byte strings as its parameters, which are not copied; the second may be NULL.
  func run(
    _ first: (index: Int32, bytes: [UInt8]),
    _ second: (index: Int32, bytes: [UInt8]?)
  ) throws(SQLiteError) {
    guard let bytes = second.bytes, !bytes.isEmpty, !first.bytes.isEmpty else {
      bind(first.index, first.bytes)
      bind(second.index, second.bytes)
      return try run()
    }
    let code = unsafe first.bytes.withUnsafeBufferPointer { start in
      unsafe bytes.withUnsafeBufferPointer { next in
        unsafe gh_sqlite_lend_blob(handle, first.index, start.baseAddress, UInt64(start.count))
        unsafe gh_sqlite_lend_blob(handle, second.index, next.baseAddress, UInt64(next.count))
        let code = unsafe sqlite3_step(handle)
        unsafe sqlite3_reset(handle)
        // What was lent is not there any more when this returns.
        unsafe sqlite3_clear_bindings(handle)
        return code
      }
    }
    guard code == SQLITE_DONE else {
      throw unsafe SQLiteError(code, of: sqlite3_db_handle(handle))
    }
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
