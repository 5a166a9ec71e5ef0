/// SQLite without a ledger around it, for `gatehouse-bench` to measure what that costs: the same
/// settings, the same columns, and nothing else.
package final class PlainSQLite: Sendable {
  private let database: Database
  private let statement: Statement
  private let path: String

  package init(_ path: String) throws(LedgerError) {
    self.path = path
    let opened = try LedgerError.of(path) { () throws(SQLiteError) in try Database(path, .create) }
    statement = try LedgerError.of(path) { () throws(SQLiteError) in
      try SQLiteStore.prepare(opened)
      try opened.execute(
        "CREATE TABLE event (sequence INTEGER PRIMARY KEY, header BLOB NOT NULL, "
          + "scope INTEGER NOT NULL, body BLOB) STRICT"
      )
      return try opened.prepare("INSERT INTO event VALUES (NULL, ?, 1, ?)")
    }
    database = opened
  }

  /// Inserts so many rows in one transaction. By one thread at a time.
  package func insert(_ count: Int, header: [UInt8], body: [UInt8]) throws(LedgerError) {
    try LedgerError.of(path) { () throws(SQLiteError) in
      try database.transaction { () throws(SQLiteError) in
        for _ in 0..<count {
          try statement.run((1, header), (2, body))
        }
      }
    }
  }
}
