internal import Crypto

/// A connection that reads the index.
///
/// `@unchecked Sendable`: whoever took it from `IndexStore` is its only user.
final class IndexReader: @unchecked Sendable {
  let database: Database
  private let select: Statement

  init(_ path: String) throws(SQLiteError) {
    database = try Database(path, .readOnly)
    select = try database.prepare(
      "SELECT block, places FROM posting WHERE term = ? AND block BETWEEN ? AND ?"
    )
  }

  /// Sequence numbers of events with one of the terms of each group.
  func sequences(
    _ query: IndexQuery,
    _ salt: [UInt8]
  ) throws(SQLiteError) -> [UInt64] {
    // What is rare first: then there is little of the others to look at.
    let groups = query.groups.sorted { Self.rank($0) < Self.rank($1) }
      .map { group in group.map { $0.number(salt) } }
    guard !groups.isEmpty else { return [] }
    var found: [UInt64] = []
    var pages = BlockPages(query)
    while found.count < query.limit, let blocks = pages.next() {
      for (block, places) in try places(of: groups, in: blocks, newestFirst: query.isNewestFirst) {
        let sequences = places.sequences(in: block).filter { query.range.contains($0) }
        found += query.isNewestFirst ? sequences.reversed() : sequences
      }
    }
    return Array(found.prefix(query.limit))
  }

  /// All with one of these terms, ascending.
  func sequences(of terms: [Int64]) throws(SQLiteError) -> [UInt64] {
    let found = try places(of: terms, in: 0...UInt64(Int64.max))
    return found.sorted { $0.key < $1.key }.flatMap { $0.value.sequences(in: $0.key) }
  }

  private static func rank(_ group: [SearchTerm]) -> Int { group.map(\.rank).max() ?? 0 }

  private typealias Places = [(block: UInt64, places: PlaceSet)]

  private func places(
    of groups: [[Int64]],
    in blocks: ClosedRange<UInt64>,
    newestFirst: Bool
  ) throws(SQLiteError) -> Places {
    var found: [UInt64: PlaceSet]?
    for group in groups {
      let known = found?.keys.min().map { $0...(found?.keys.max() ?? $0) }
      if found != nil, known == nil { return [] }
      let next = try places(of: group, in: known ?? blocks)
      guard let before = found else {
        found = next
        continue
      }
      found = before.reduce(into: [:]) { both, entry in
        guard var places = next[entry.key] else { return }
        places.formIntersection(entry.value)
        if !places.isEmpty { both[entry.key] = places }
      }
    }
    let sorted = (found ?? [:]).sorted { newestFirst ? $0.key > $1.key : $0.key < $1.key }
    return sorted.map { ($0.key, $0.value) }
  }

  /// By block, what has one of the terms.
  private func places(
    of terms: [Int64],
    in blocks: ClosedRange<UInt64>
  ) throws(SQLiteError) -> [UInt64: PlaceSet] {
    var found: [UInt64: PlaceSet] = [:]
    for term in terms {
      select.bind(1, term)
      select.bind(2, Int64(clamping: blocks.lowerBound))
      select.bind(3, Int64(clamping: blocks.upperBound))
      defer { select.reset() }
      while try select.step() {
        let block = UInt64(select.integer(0))
        let places = PlaceSet(select.bytes(1))
        guard var others = found.removeValue(forKey: block) else {
          found[block] = places
          continue
        }
        others.formUnion(places)
        found[block] = others
      }
    }
    return found
  }

  /// Blocks with events from `earliest` to `latest`, in order: as many as may have some.
  func blocks(from earliest: Int64, to latest: Int64) throws(SQLiteError) -> [UInt64] {
    let statement = try database.prepare(
      "SELECT block FROM block WHERE latest >= ? AND earliest <= ? ORDER BY block"
    )
    statement.bind(1, earliest)
    statement.bind(2, latest)
    var blocks: [UInt64] = []
    while try statement.step() { blocks.append(UInt64(statement.integer(0))) }
    return blocks
  }

  /// Intents of calls that have not ended, or starts of such chats, oldest first.
  func open(_ table: String, _ column: String) throws(SQLiteError) -> [UInt64] {
    let statement = try database.prepare("SELECT \(column) FROM \(table) ORDER BY \(column)")
    var sequences: [UInt64] = []
    while try statement.step() { sequences.append(UInt64(statement.integer(0))) }
    return sequences
  }

  func keys(limit: Int) throws(SQLiteError) -> [KeptKey] {
    let statement = try database.prepare("\(Self.selectKeys) ORDER BY intent DESC LIMIT ?")
    statement.bind(1, Int64(limit))
    var keys: [KeptKey] = []
    while try statement.step() { keys.append(Self.key(statement)) }
    return keys.reversed()
  }

  func key(_ key: String, of owner: EventPrincipal) throws(SQLiteError) -> KeptKey? {
    let statement = try database.prepare(
      "\(Self.selectKeys) WHERE principal = ? AND issuer = ? AND key = ?"
    )
    statement.bind(1, owner.id)
    statement.bind(2, owner.issuerPin?.bytes ?? [])
    statement.bind(3, key)
    return try statement.step() ? Self.key(statement) : nil
  }

  private static let selectKeys =
    "SELECT principal, issuer, key, digest, call, workspace, intent, ended FROM call_key"

  private static func key(_ statement: borrowing Statement) -> KeptKey {
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

/// The blocks that a query looks at, some at a time: few at first, since what is often found fills a
/// page soon; then ever more.
private struct BlockPages {
  private var rest: ClosedRange<UInt64>?
  private let isNewestFirst: Bool
  private var count: UInt64 = 1

  init(_ query: IndexQuery) {
    let last = PlaceSet.block(of: query.range.upperBound)
    rest = PlaceSet.block(of: query.range.lowerBound)...last
    isNewestFirst = query.isNewestFirst
  }

  mutating func next() -> ClosedRange<UInt64>? {
    guard let rest else { return nil }
    defer { count *= 4 }
    guard rest.upperBound - rest.lowerBound >= count else {
      self.rest = nil
      return rest
    }
    if isNewestFirst {
      self.rest = rest.lowerBound...(rest.upperBound - count)
      return (rest.upperBound - count + 1)...rest.upperBound
    }
    self.rest = (rest.lowerBound + count)...rest.upperBound
    return rest.lowerBound...(rest.lowerBound + count - 1)
  }
}
