internal import Crypto

/// What came of making a ledger's index anew.
package struct RebuildReport: Sendable, Equatable {
  /// Events that were read.
  package let events: UInt64
  /// Rows that the index had and should not have, or should have had and had not. They are right now.
  package let differences: UInt64
}

extension Ledger {
  /// Makes the index anew from the events, and holds the one in use against it: what differs is taken
  /// over. Takes a while; nobody waits for it.
  package func rebuildIndex() async throws(LedgerError) -> RebuildReport {
    let index = index
    return try await reading.later { () throws(LedgerError) in try index.rebuild() }
  }
}

extension IndexWriter {
  /// Takes over what `path`, an index that goes as far as this one, has and this one has not.
  ///
  /// - Returns: how many rows differed.
  func takeOver(_ path: String) throws(SQLiteError) -> UInt64 {
    let attach = try database.prepare("ATTACH ? AS made")
    attach.bind(1, path)
    try attach.run()
    defer { try? database.execute("DETACH made") }
    var differences: UInt64 = 0
    try database.transaction { () throws(SQLiteError) in
      for table in IndexSchema.derived {
        for (wrong, right) in [("main", "made"), ("made", "main")] {
          let sql =
            "SELECT count(*) FROM (SELECT * FROM \(wrong).\(table) EXCEPT "
            + "SELECT * FROM \(right).\(table))"
          differences += UInt64(try database.integer(sql) ?? 0)
        }
      }
      guard differences > 0 else { return }
      for table in IndexSchema.derived {
        try database.execute(
          "DELETE FROM main.\(table); INSERT INTO main.\(table) SELECT * FROM made.\(table)"
        )
      }
    }
    return differences
  }
}
