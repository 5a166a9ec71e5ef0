/// How the tables of a ledger come about, version by version. Only ever add to the end.
enum SQLiteSchema {
  /// "GHLG": says of a file that it is a ledger.
  static let applicationID: Int64 = 0x4748_4c47

  static var version: Int64 { Int64(migrations.count) }

  static let migrations = [
    // 1: events are never changed. What is derived from them lies in a file of its own.
    """
    CREATE TABLE event (
      sequence INTEGER PRIMARY KEY, header BLOB NOT NULL, scope INTEGER NOT NULL, body BLOB
    ) STRICT;
    CREATE TABLE body_key (
      scope INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, wrapped BLOB
    ) STRICT;
    CREATE TABLE tree (size INTEGER PRIMARY KEY, roots BLOB NOT NULL) STRICT;
    CREATE TABLE writer (
      one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, holder TEXT NOT NULL
    ) STRICT;
    INSERT INTO writer VALUES (1, 0, '');
    """
  ]

  /// Brings an open database up to `version`.
  ///
  /// - Throws: `newer` when it is above, `damaged` when it is something else.
  static func migrate(
    _ database: borrowing Database,
    _ path: String,
    through migrations: [String] = migrations
  ) throws(LedgerError) {
    let found = try check(database, path, newest: Int64(migrations.count))
    try LedgerError.of(path) { () throws(SQLiteError) in
      for number in Int(found)..<migrations.count {
        try database.transaction { () throws(SQLiteError) in
          try database.execute(migrations[number])
          try database.execute("PRAGMA application_id = \(applicationID)")
          try database.execute("PRAGMA user_version = \(number + 1)")
        }
      }
    }
  }

  /// The version that a file has; 0 for an empty one.
  @discardableResult
  static func check(
    _ database: borrowing Database,
    _ path: String,
    newest: Int64 = version
  ) throws(LedgerError) -> Int64 {
    let (id, found, tables) = try LedgerError.of(path) { () throws(SQLiteError) in
      (
        try database.integer("PRAGMA application_id") ?? 0,
        try database.integer("PRAGMA user_version") ?? 0,
        try database.integer("SELECT count(*) FROM sqlite_schema") ?? 0
      )
    }
    guard id == applicationID || (id == 0 && found == 0 && tables == 0) else {
      throw LedgerError(.damaged, "\(path) is a database, but no ledger; move it away")
    }
    guard found <= newest else {
      throw LedgerError(
        .newer,
        "the ledger \(path) has schema \(found), and this gatehouse knows \(newest) at most; start "
          + "the newer gatehouse that wrote it, or restore a copy from before"
      )
    }
    return found
  }
}
