/// A connection that reads the index.
///
/// `@unchecked Sendable`: whoever took it from `IndexStore` is its only user.
final class IndexReader: @unchecked Sendable {
  let database: Database

  init(_ path: String) throws(SQLiteError) { database = try Database(path, .readOnly) }

  /// Sequence numbers of events with one of the terms of each group.
  func sequences(
    _ query: IndexQuery,
    _ salt: [UInt8]
  ) throws(SQLiteError) -> [UInt64] {
    let groups = try ordered(query.groups.map { group in group.map { $0.number(salt) } })
    guard let first = groups.first else { return [] }
    // A list of one keeps the order of the index, so a page of a few is read and no more.
    let rest = groups.dropFirst().map { group in
      " AND EXISTS (SELECT 1 FROM posting WHERE term IN (\(Self.list(group)))"
        + " AND sequence = p.sequence)"
    }
    let order = query.isNewestFirst ? "DESC" : "ASC"
    var found: Set<UInt64> = []
    for term in first {
      let statement = try database.prepare(
        "SELECT p.sequence FROM posting p WHERE p.term = \(term) AND p.sequence BETWEEN ? AND ?"
          + rest.joined() + " ORDER BY p.sequence \(order) LIMIT ?"
      )
      statement.bind(1, Int64(clamping: query.range.lowerBound))
      statement.bind(2, Int64(clamping: query.range.upperBound))
      statement.bind(3, Int64(query.limit))
      while try statement.step() { found.insert(UInt64(statement.integer(0))) }
    }
    let sorted = query.isNewestFirst ? found.sorted(by: >) : found.sorted()
    return Array(sorted.prefix(query.limit))
  }

  /// The rarest first, as far as a short look tells.
  private func ordered(_ groups: [[Int64]]) throws(SQLiteError) -> [[Int64]] {
    guard groups.count > 1 else { return groups }
    var counted: [(group: [Int64], count: Int64)] = []
    for group in groups {
      let count = try database.integer(
        "SELECT count(*) FROM (SELECT 1 FROM posting WHERE term IN (\(Self.list(group)))"
          + " LIMIT 2000)"
      )
      counted.append((group, count ?? 0))
    }
    return counted.sorted { $0.count < $1.count }.map(\.group)
  }

  /// Numbers of our own making, so they need no quotes.
  private static func list(_ numbers: [Int64]) -> String {
    numbers.map(String.init).joined(separator: ",")
  }

  /// Intents of calls that have not ended, or starts of such chats, oldest first.
  func open(_ table: String, _ column: String) throws(SQLiteError) -> [UInt64] {
    let statement = try database.prepare("SELECT \(column) FROM \(table) ORDER BY \(column)")
    var sequences: [UInt64] = []
    while try statement.step() { sequences.append(UInt64(statement.integer(0))) }
    return sequences
  }

  func keys(limit: Int) throws(SQLiteError) -> [KeptKey] {
    let statement = try database.prepare(
      "SELECT principal, issuer, key, digest, call, workspace, intent, ended FROM call_key"
        + " ORDER BY call DESC LIMIT ?"
    )
    statement.bind(1, Int64(limit))
    var keys: [KeptKey] = []
    while try statement.step() {
      keys.append(
        KeptKey(
          principal: statement.text(0),
          issuerPin: statement.bytes(1),
          key: statement.text(2),
          digest: statement.bytes(3),
          call: statement.text(4),
          workspace: statement.text(5),
          intent: UInt64(statement.integer(6)),
          ended: statement.integer(7)
        )
      )
    }
    return keys.reversed()
  }
}

/// What is looked for in the index.
struct IndexQuery: Sendable {
  /// An event has one of the terms of each.
  let groups: [[SearchTerm]]
  let range: ClosedRange<UInt64>
  let isNewestFirst: Bool
  let limit: Int
}
