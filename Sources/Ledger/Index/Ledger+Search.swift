/// What a search comes to: candidates, to be looked at again.
package struct SearchPage: Sendable, Equatable {
  /// In the order asked for.
  package let sequences: [UInt64]
  /// Events beyond this one are not in the index yet.
  package let indexed: UInt64
}

extension Ledger {
  /// Events that may have one of the terms of each group, of which there is at least one and none empty;
  /// at most `limit`. What came since `indexed` of the answer is to be looked at by itself.
  package func search(
    _ groups: [[SearchTerm]],
    in range: ClosedRange<UInt64>,
    newestFirst: Bool,
    limit: Int
  ) async throws(LedgerError) -> SearchPage {
    let indexed = index.done
    // The index grows meanwhile: what came since would be found here, and looked at again there.
    let end = min(range.upperBound, indexed)
    guard range.lowerBound <= end else { return SearchPage(sequences: [], indexed: indexed) }
    let query = IndexQuery(
      groups: groups,
      range: range.lowerBound...end,
      isNewestFirst: newestFirst,
      limit: limit
    )
    let found = try await ask { (reader, salt) throws(SQLiteError) in
      try reader.sequences(query, salt)
    }
    return SearchPage(sequences: found, indexed: indexed)
  }

  /// Where events of a time may be, in order: from `earliest` to `latest`, in microseconds since 1970,
  /// whichever way the clock was set between them. What is there is to be looked at by itself.
  package func ranges(
    from earliest: Int64,
    to latest: Int64
  ) async throws(LedgerError) -> [ClosedRange<UInt64>] {
    let (indexed, last) = (index.done, lastSequence)
    let blocks = try await ask { (reader, _) throws(SQLiteError) in
      try reader.blocks(from: earliest, to: latest)
    }
    var ranges: [ClosedRange<UInt64>] = []
    func add(_ first: UInt64, _ end: UInt64) {
      guard first <= end else { return }
      if let before = ranges.last, before.upperBound + 1 >= first {
        ranges[ranges.count - 1] = before.lowerBound...max(before.upperBound, end)
      } else {
        ranges.append(first...end)
      }
    }
    for block in blocks {
      let first = block * PlaceSet.size
      add(max(1, first), min(last, first + PlaceSet.size - 1))
    }
    // The index says nothing of these yet.
    if indexed < last { add(indexed + 1, last) }
    return ranges
  }

  /// All events of a call, in order.
  package func events(ofCall id: String) async throws(LedgerError) -> [LedgerEvent] {
    try await events(.call(id)) { $0.call == id }
  }

  /// All events of a chat, in order.
  package func events(ofChat id: String) async throws(LedgerError) -> [LedgerEvent] {
    try await events(.chat(id)) { $0.chat == id }
  }

  /// All events of some calls, by call, each in order: in one pass, where there are many to ask for.
  package func events(
    ofCalls ids: Set<String>
  ) async throws(LedgerError) -> [String: [LedgerEvent]] {
    let (indexed, last) = (index.done, lastSequence)
    let found = try await ask { (reader, salt) throws(SQLiteError) in
      try reader.sequences(of: ids.map { SearchTerm.call($0).number(salt) })
    }
    let reading = reading
    return try await reading.later { () throws(LedgerError) in
      var events: [String: [LedgerEvent]] = [:]
      func take(_ found: [LedgerEvent]) {
        for event in found where ids.contains(event.header.call) {
          guard event.header.sequence <= last else { continue }
          events[event.header.call, default: []].append(event)
        }
      }
      for sequence in found where sequence <= indexed {
        take(try reading.events(from: sequence, limit: 1))
      }
      var next = indexed + 1
      while next <= last, case let tail = try reading.events(from: next, limit: 1_000),
        !tail.isEmpty
      {
        take(tail)
        next += UInt64(tail.count)
      }
      return events
    }
  }

  /// The events with these numbers, in order.
  package func events(at sequences: Set<UInt64>) async throws(LedgerError) -> [LedgerEvent] {
    let reading = reading
    return try await reading.later { () throws(LedgerError) in
      var events: [LedgerEvent] = []
      for sequence in sequences.sorted() {
        events += try reading.events(from: sequence, limit: 1)
      }
      return events
    }
  }

  private func events(
    _ term: SearchTerm,
    _ isWanted: (EventHeader) -> Bool
  ) async throws(LedgerError) -> [LedgerEvent] {
    var events: [LedgerEvent] = []
    var next: UInt64 = 1
    let last = lastSequence
    while next <= last {
      let page = try await search([[term]], in: next...last, newestFirst: false, limit: 1_000)
      for sequence in page.sequences {
        for event in try await read(from: sequence, limit: 1) where isWanted(event.header) {
          events.append(event)
        }
      }
      guard page.sequences.count == 1_000, let end = page.sequences.last else {
        next = max(next, page.indexed + 1)
        break
      }
      next = end + 1
    }
    while next <= last, case let tail = try await read(from: next, limit: 1_000), !tail.isEmpty {
      events += tail.filter { $0.header.sequence <= last && isWanted($0.header) }
      next += UInt64(tail.count)
    }
    return events
  }

  /// The intents of calls that have not ended, oldest first, as of when the ledger was opened.
  package func openCalls() async throws(LedgerError) -> [UInt64] {
    try await ask { (reader, _) throws(SQLiteError) in try reader.open("open_call", "intent") }
  }

  /// The beginnings of chats' turns that have not ended, likewise.
  package func openChats() async throws(LedgerError) -> [UInt64] {
    try await ask { (reader, _) throws(SQLiteError) in try reader.open("open_chat", "start") }
  }

  /// The newest idempotency keys, oldest first. Those of calls that ended before `time` (microseconds
  /// since 1970) are dropped.
  package func keptKeys(
    endedAfter time: Int64,
    limit: Int
  ) async throws(LedgerError) -> [KeptKey] {
    try index.dropKeys(before: time)
    return try await ask { (reader, _) throws(SQLiteError) in try reader.keys(limit: limit) }
  }

  /// What an idempotency key stands for; nil: nothing, or it was dropped.
  package func keptKey(
    _ key: String,
    of owner: EventPrincipal
  ) async throws(LedgerError) -> KeptKey? {
    try await ask { (reader, _) throws(SQLiteError) in try reader.key(key, of: owner) }
  }

  private func ask<Value: Sendable>(
    _ body: @escaping @Sendable (IndexReader, [UInt8]) throws(SQLiteError) -> Value
  ) async throws(LedgerError) -> Value {
    let index = index
    return try await reading.later { () throws(LedgerError) in
      try LedgerError.of(index.store.path) { () throws(SQLiteError) in
        try index.store.read { (reader) throws(SQLiteError) in try body(reader, index.salt) }
      }
    }
  }
}
