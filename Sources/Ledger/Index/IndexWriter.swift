internal import Crypto

/// The connection that writes the index.
struct IndexWriter: ~Copyable {
  let database: Database
  private let post: Statement
  private let advance: Statement
  private let openCall: Statement
  private let closeCall: Statement
  private let openChat: Statement
  private let closeChat: Statement
  private let keepKey: Statement
  private let endKey: Statement
  private let dropKeys: Statement
  private let nameErased: Statement

  init(_ database: consuming Database) throws(SQLiteError) {
    let post = try database.prepare("INSERT OR IGNORE INTO posting VALUES (?, ?)")
    let advance = try database.prepare("UPDATE state SET sequence = ?")
    let openCall = try database.prepare("INSERT OR REPLACE INTO open_call VALUES (?, ?)")
    let closeCall = try database.prepare("DELETE FROM open_call WHERE call = ?")
    let openChat = try database.prepare("INSERT OR REPLACE INTO open_chat VALUES (?, ?)")
    let closeChat = try database.prepare("DELETE FROM open_chat WHERE chat = ?")
    let keepKey = try database.prepare(
      "INSERT OR REPLACE INTO call_key VALUES (?, ?, ?, ?, ?, ?, ?, 0)"
    )
    let endKey = try database.prepare("UPDATE call_key SET ended = ? WHERE call = ?")
    let dropKeys = try database.prepare("DELETE FROM call_key WHERE ended BETWEEN 1 AND ?")
    try database.execute("CREATE TEMP TABLE erased (sequence INTEGER PRIMARY KEY) STRICT")
    let nameErased = try database.prepare("INSERT OR IGNORE INTO temp.erased VALUES (?)")
    self.database = database
    self.post = post
    self.advance = advance
    self.openCall = openCall
    self.closeCall = closeCall
    self.openChat = openChat
    self.closeChat = closeChat
    self.keepKey = keepKey
    self.endKey = endKey
    self.dropKeys = dropKeys
    self.nameErased = nameErased
  }

  func begin(_ origin: String) throws(SQLiteError) {
    let statement = try database.prepare("UPDATE state SET origin = ?")
    statement.bind(1, origin)
    try statement.run()
  }

  /// Adds events that follow on what is there, in one transaction. `erased`: those that are there,
  /// whose bodies these events say were erased.
  func add(
    _ events: [IndexedEvent],
    erased: [EventHeader],
    salt: [UInt8]
  ) throws(SQLiteError) {
    guard let last = events.last?.header.sequence else { return }
    let postings = Self.postings(of: events, salt)
    try database.transaction { () throws(SQLiteError) in
      for posting in postings { try insert(posting.term, posting.sequence) }
      for event in events { try fold(event.header, event.facts) }
      if !erased.isEmpty { try erase(erased, salt) }
      advance.bind(1, Int64(last))
      try advance.run()
    }
  }

  private func insert(_ term: Int64, _ sequence: Int64) throws(SQLiteError) {
    post.bind(1, term)
    post.bind(2, sequence)
    try post.run()
  }

  /// Has these events as they are, now that their bodies are erased.
  ///
  /// Terms come first in the table, and theirs are not known any more: all facts are gone through, once
  /// for all events. That took 0.15 s for a million facts, and 0.75 s with 5,000 events to delete from
  /// among them (2.5 s by 1,000 at a time). An index by event would do without, and make each event
  /// that is written dearer, for what is done rarely.
  private func erase(_ events: [EventHeader], _ salt: [UInt8]) throws(SQLiteError) {
    for event in events {
      nameErased.bind(1, Int64(event.sequence))
      try nameErased.run()
    }
    let facts = SearchTerm.numbersOfFacts
    try database.execute(
      "DELETE FROM posting WHERE term >= \(facts.lowerBound) AND term < \(facts.upperBound)"
        + " AND sequence IN (SELECT sequence FROM temp.erased);"
        + " DELETE FROM call_key WHERE intent IN (SELECT sequence FROM temp.erased);"
        + " DELETE FROM temp.erased"
    )
    for event in events where event.kind == .callIntended {
      try insert(SearchTerm.erasedIntent.number(salt), Int64(event.sequence))
    }
  }

  private typealias Posting = (term: Int64, sequence: Int64)

  /// In the order of the table, so that each of its pages is gone to once. Some are there twice.
  private static func postings(of events: [IndexedEvent], _ salt: [UInt8]) -> [Posting] {
    var postings: [Posting] = []
    postings.reserveCapacity(events.count * 6)
    // A batch is of few people and tools.
    var hashed: [SearchTerm: Int64] = [:]
    for event in events {
      for term in SearchTerm.all(of: event) {
        let number: Int64
        switch term {
        case .principal, .tool:
          number = hashed[term] ?? term.number(salt)
          hashed[term] = number
        default: number = term.number(salt)
        }
        postings.append((number, Int64(event.header.sequence)))
      }
    }
    postings.sort { ($0.term, $0.sequence) < ($1.term, $1.sequence) }
    return postings
  }

  /// What opens, and what closes it.
  private func fold(_ header: EventHeader, _ facts: EventFacts?) throws(SQLiteError) {
    switch header.kind {
    case .callIntended:
      try set(openCall, header.call, header.sequence)
      if let key = facts?.key, let owner = header.onBehalfOf ?? header.principal {
        try keep(key, of: owner, header)
      }
    case .callEnded:
      try remove(closeCall, header.call)
      endKey.bind(1, header.time)
      endKey.bind(2, header.call)
      try endKey.run()
    case .chatStarted, .chatPrompted: try set(openChat, header.chat, header.sequence)
    case .chatEnded: try remove(closeChat, header.chat)
    default: break
    }
  }

  private func set(
    _ statement: borrowing Statement,
    _ id: String,
    _ sequence: UInt64
  ) throws(SQLiteError) {
    statement.bind(1, id)
    statement.bind(2, Int64(sequence))
    try statement.run()
  }

  private func remove(_ statement: borrowing Statement, _ id: String) throws(SQLiteError) {
    statement.bind(1, id)
    try statement.run()
  }

  private func keep(
    _ key: CallKey,
    of owner: EventPrincipal,
    _ header: EventHeader
  ) throws(SQLiteError) {
    keepKey.bind(1, owner.id)
    keepKey.bind(2, owner.issuerPin?.bytes ?? [])
    keepKey.bind(3, key.key)
    keepKey.bind(4, key.digest)
    keepKey.bind(5, header.call)
    keepKey.bind(6, header.workspace)
    keepKey.bind(7, Int64(header.sequence))
    try keepKey.run()
  }

  /// Drops the keys of calls that ended before `time`, in microseconds since 1970.
  func dropKeys(before time: Int64) throws(SQLiteError) {
    dropKeys.bind(1, time)
    try dropKeys.run()
  }
}
