/// What was erased leaves the index too, so that one that is made anew from the events is the same.
extension Indexer {
  /// Headers of events whose facts are in the index, and whose bodies `event` says were erased.
  func facts(
    erasedBy event: LedgerEvent,
    in store: IndexStore
  ) throws(LedgerError) -> [EventHeader] {
    var erased: [EventHeader] = []
    var next: UInt64 = 1
    while next < event.header.sequence {
      let page = try candidates(
        event.header.chat,
        from: next,
        before: event.header.sequence,
        in: store
      )
      erased += page.events.filter { $0.hasFacts && $0.isErased }.map(\.header)
      next = page.next
    }
    return erased
  }

  /// Events that may have been erased: a chat's are found by the index, others by looking at all.
  private func candidates(
    _ chat: String,
    from first: UInt64,
    before end: UInt64,
    in store: IndexStore
  ) throws(LedgerError) -> (events: [LedgerEvent], next: UInt64) {
    guard !chat.isEmpty else {
      let limit = min(Self.page, Int(end - first))
      let events = try reading.events(from: first, limit: limit)
      return (events, events.last.map { $0.header.sequence + 1 } ?? end)
    }
    let query = IndexQuery(
      groups: [[.chat(chat)], LedgerEvent.kindsWithFacts.map { .kind($0) }],
      range: first...(end - 1),
      isNewestFirst: false,
      limit: Self.page
    )
    let found = try LedgerError.of(store.path) { () throws(SQLiteError) in
      try store.read { (reader) throws(SQLiteError) in try reader.sequences(query, salt) }
    }
    var events: [LedgerEvent] = []
    for sequence in found { events += try reading.events(from: sequence, limit: 1) }
    guard found.count == Self.page, let last = found.last else { return (events, end) }
    return (events, last + 1)
  }
}
