internal import Synchronization

/// Connections that read, opened as they are needed and used by one thread at a time.
final class Readers: Sendable {
  private let path: String
  private let idle = Mutex<[Reader]>([])

  init(_ path: String) { self.path = path }

  /// Closes those that nobody uses now.
  func close() { idle.withLock { $0.removeAll() } }

  func with<Value>(
    _ body: (Reader) throws(SQLiteError) -> Value
  ) throws(LedgerError) -> Value {
    do throws(SQLiteError) {
      let reader = try taken()
      // One that failed is not used again.
      let value = try body(reader)
      idle.withLock { $0.append(reader) }
      return value
    } catch {
      throw LedgerError(error, path)
    }
  }

  private func taken() throws(SQLiteError) -> Reader {
    if let reader = idle.withLock({ $0.popLast() }) { return reader }
    return try Reader(path)
  }
}

/// One of them, with its statements.
///
/// `@unchecked Sendable`: whoever took it from `Readers` is its only user.
final class Reader: @unchecked Sendable {
  let database: Database
  let keyByName: Statement
  let keyByScope: Statement
  private let select: Statement

  init(_ path: String) throws(SQLiteError) {
    database = try Database(path, .readOnly)
    select = try database.prepare(
      "SELECT sequence, header, scope, body FROM event WHERE sequence >= ? ORDER BY sequence"
        + " LIMIT ?"
    )
    keyByName = try database.prepare("SELECT scope, name, wrapped FROM body_key WHERE name = ?")
    keyByScope = try database.prepare("SELECT scope, name, wrapped FROM body_key WHERE scope = ?")
  }

  func events(from sequence: UInt64, limit: Int) throws(SQLiteError) -> [StoredEvent] {
    // Behind the last there can be.
    guard let sequence = Int64(exactly: sequence) else { return [] }
    defer { select.reset() }
    select.bind(1, sequence)
    select.bind(2, Int64(limit))
    var events: [StoredEvent] = []
    while try select.step() {
      events.append(
        StoredEvent(
          sequence: UInt64(bitPattern: select.integer(0)),
          header: select.bytes(1),
          scope: select.integer(2),
          body: select.isNull(3) ? nil : select.bytes(3)
        )
      )
    }
    return events
  }

  static func key(_ statement: borrowing Statement) throws(SQLiteError) -> StoredKey? {
    guard try statement.step() else { return nil }
    return StoredKey(
      scope: statement.integer(0),
      name: statement.text(1),
      wrapped: statement.isNull(2) ? nil : statement.bytes(2)
    )
  }

  /// Nil when what was kept is no tree.
  func tree(atMost size: UInt64) throws(SQLiteError) -> CompactRange? {
    let statement = try database.prepare(
      "SELECT size, roots FROM tree WHERE size <= ? ORDER BY size DESC LIMIT 1"
    )
    statement.bind(1, Int64(clamping: size))
    guard try statement.step() else { return CompactRange() }
    return CompactRange(size: UInt64(bitPattern: statement.integer(0)), bytes: statement.bytes(1))
  }

  func trees() throws(SQLiteError) -> [CompactRange] {
    let statement = try database.prepare("SELECT size, roots FROM tree ORDER BY size")
    var trees: [CompactRange] = []
    while try statement.step() {
      let size = UInt64(bitPattern: statement.integer(0))
      if let tree = CompactRange(size: size, bytes: statement.bytes(1)) { trees.append(tree) }
    }
    return trees
  }
}
