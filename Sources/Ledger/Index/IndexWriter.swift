internal import Crypto

/// The connection that writes the index.
struct IndexWriter: ~Copyable {
  let database: Database
  private let post: Statement
  private let posted: Statement
  private let time: Statement
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
    let post = try database.prepare("INSERT OR REPLACE INTO posting VALUES (?, ?, ?)")
    let posted = try database.prepare("SELECT places FROM posting WHERE term = ? AND block = ?")
    let time = try database.prepare(
      "INSERT INTO block VALUES (?1, ?2, ?3) ON CONFLICT (block) DO UPDATE"
        + " SET earliest = min(earliest, ?2), latest = max(latest, ?3)"
    )
    let advance = try database.prepare("UPDATE state SET sequence = ?")
    let openCall = try database.prepare("INSERT OR REPLACE INTO open_call VALUES (?, ?)")
    let closeCall = try database.prepare("DELETE FROM open_call WHERE call = ?")
    let openChat = try database.prepare("INSERT OR REPLACE INTO open_chat VALUES (?, ?)")
    let closeChat = try database.prepare("DELETE FROM open_chat WHERE chat = ?")
    let keepKey = try database.prepare(
      "INSERT OR REPLACE INTO call_key VALUES (?, ?, ?, ?, ?, ?, ?, 0)"
    )
    let endKey = try database.prepare("UPDATE call_key SET ended = ? WHERE call = ?")
    let dropKeys = try database.prepare(
      "DELETE FROM call_key WHERE (principal, issuer, key) IN (SELECT principal, issuer, key"
        + " FROM call_key WHERE ended BETWEEN 1 AND ? ORDER BY ended LIMIT \(Self.droppedAtOnce))"
    )
    try database.execute("CREATE TEMP TABLE erased (sequence INTEGER PRIMARY KEY) STRICT")
    let nameErased = try database.prepare("INSERT OR IGNORE INTO temp.erased VALUES (?)")
    self.database = database
    self.post = post
    self.posted = posted
    self.time = time
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
    _ events: [LedgerEvent],
    _ facts: [EventFacts?],
    erased: [EventHeader],
    salt: [UInt8]
  ) throws(SQLiteError) {
    guard let first = events.first?.header, let last = events.last?.header.sequence else { return }
    let postings = Self.postings(of: events, facts, salt)
    try database.transaction { () throws(SQLiteError) in
      try insert(postings, began: PlaceSet.block(of: first.sequence))
      try insertTimes(of: events)
      for (event, facts) in zip(events, facts) where event.header.isFolded {
        try fold(event.header, facts)
      }
      if !erased.isEmpty { try erase(erased, salt) }
      advance.bind(1, Int64(last))
      try advance.run()
    }
  }

  /// Adds postings, which are in order. `began`: the one block that may have some already.
  private func insert(_ postings: [Posting], began: UInt64) throws(SQLiteError) {
    var rest = postings[...]
    var sequences: [UInt64] = []
    while let (term, sequence) = rest.first {
      let block = PlaceSet.block(of: sequence)
      sequences.removeAll(keepingCapacity: true)
      while let next = rest.first, next.term == term, PlaceSet.block(of: next.sequence) == block {
        // Someone who acts for themselves is there twice.
        if sequences.last != next.sequence { sequences.append(next.sequence) }
        rest.removeFirst()
      }
      if block == began {
        var places = try places(term, block)
        for sequence in sequences { places.insert(sequence) }
        try put(places.bytes, term, block)
      } else {
        try put(PlaceSet.bytes(of: sequences), term, block)
      }
    }
  }

  private func places(_ term: Int64, _ block: UInt64) throws(SQLiteError) -> PlaceSet {
    posted.bind(1, term)
    posted.bind(2, Int64(block))
    defer { posted.reset() }
    return try posted.step() ? PlaceSet(posted.bytes(0)) : PlaceSet()
  }

  private func put(_ places: [UInt8], _ term: Int64, _ block: UInt64) throws(SQLiteError) {
    post.bind(1, term)
    post.bind(2, Int64(block))
    post.bind(3, places)
    try post.run()
  }

  /// From when to when the events of each block are: the clock may have been set back between them.
  private func insertTimes(of events: [LedgerEvent]) throws(SQLiteError) {
    var times: [UInt64: (earliest: Int64, latest: Int64)] = [:]
    for event in events {
      let (block, time) = (PlaceSet.block(of: event.header.sequence), event.header.time)
      let known = times[block] ?? (time, time)
      times[block] = (min(known.earliest, time), max(known.latest, time))
    }
    for (block, found) in times {
      time.bind(1, Int64(block))
      time.bind(2, found.earliest)
      time.bind(3, found.latest)
      try time.run()
    }
  }

  /// Has these events as they are, now that their bodies are erased.
  ///
  /// Terms come first in the table, and theirs are not known any more: all facts are gone through, once
  /// for all events. An index by event would do without, and make each event that is written dearer, for
  /// what is done rarely.
  private func erase(_ events: [EventHeader], _ salt: [UInt8]) throws(SQLiteError) {
    var (gone, intents): ([UInt64: PlaceSet], [UInt64: PlaceSet]) = ([:], [:])
    for event in events {
      let block = PlaceSet.block(of: event.sequence)
      gone[block, default: PlaceSet()].insert(event.sequence)
      if event.kind == .callIntended { intents[block, default: PlaceSet()].insert(event.sequence) }
      nameErased.bind(1, Int64(event.sequence))
      try nameErased.run()
    }
    for row in try facts(in: Set(gone.keys)) {
      var places = row.places
      if let erased = gone[row.block] { places.subtract(erased) }
      guard places != row.places else { continue }
      if places.isEmpty {
        try database.execute(
          "DELETE FROM posting WHERE term = \(row.term) AND block = \(row.block)"
        )
      } else {
        try put(places.bytes, row.term, row.block)
      }
    }
    try database.execute(
      "DELETE FROM call_key WHERE intent IN (SELECT sequence FROM temp.erased);"
        + " DELETE FROM temp.erased"
    )
    let term = SearchTerm.erasedIntent.number(salt)
    for (block, new) in intents {
      var places = try places(term, block)
      places.formUnion(new)
      try put(places.bytes, term, block)
    }
  }

  private typealias Row = (term: Int64, block: UInt64, places: PlaceSet)

  /// What can be found of bodies in these blocks.
  private func facts(in blocks: Set<UInt64>) throws(SQLiteError) -> [Row] {
    let terms = SearchTerm.numbersOfFacts
    // Numbers of our own making, so they need no quotes.
    let list = blocks.sorted().map(String.init).joined(separator: ",")
    let statement = try database.prepare(
      "SELECT term, block, places FROM posting WHERE term >= \(terms.lowerBound)"
        + " AND term < \(terms.upperBound) AND block IN (\(list))"
    )
    var rows: [Row] = []
    while try statement.step() {
      rows.append(
        (statement.integer(0), UInt64(statement.integer(1)), PlaceSet(statement.bytes(2)))
      )
    }
    return rows
  }

  private typealias Posting = (term: Int64, sequence: UInt64)

  /// In the order of the table, so that each of its pages is gone to once. Some are there twice.
  private static func postings(
    of events: [LedgerEvent],
    _ facts: [EventFacts?],
    _ salt: [UInt8]
  ) -> [Posting] {
    var postings: [Posting] = []
    postings.reserveCapacity(events.count * 6)
    // A batch is of few people and tools.
    var hashed: [SearchTerm: Int64] = [:]
    for (event, facts) in zip(events, facts) {
      for term in SearchTerm.all(of: event, facts) {
        let number: Int64
        switch term {
        case .principal, .tool:
          number = hashed[term] ?? term.number(salt)
          hashed[term] = number
        default: number = term.number(salt)
        }
        postings.append((number, event.header.sequence))
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

  /// Drops some of the keys of calls that ended before `time`, in microseconds since 1970.
  ///
  /// - Returns: whether there may be more.
  func dropSomeKeys(before time: Int64) throws(SQLiteError) -> Bool {
    dropKeys.bind(1, time)
    try dropKeys.run()
    return try database.integer("SELECT changes()") == Self.droppedAtOnce
  }

  func dropKeys(before time: Int64) throws(SQLiteError) {
    while try dropSomeKeys(before: time) {}
  }

  /// More than are added at once, so that they do not grow for ever.
  private static let droppedAtOnce: Int64 = 10_000
}

extension EventHeader {
  /// It opens or closes something; see `IndexWriter.fold`.
  fileprivate var isFolded: Bool {
    switch kind {
    case .callIntended, .callEnded, .chatStarted, .chatPrompted, .chatEnded: true
    default: false
    }
  }
}
