internal import Host
internal import Synchronization

/// The index made anew beside the one in use.
extension Indexer {
  /// See `Ledger.rebuildIndex`. Blocks.
  func rebuild() throws(LedgerError) -> RebuildReport {
    while true {
      // So that it goes as far as the ledger does now.
      while try addNext() {}
      if let report = try compare() { return report }
    }
  }

  /// - Returns: nil when something was erased meanwhile that the index in use does not know of.
  private func compare() throws(LedgerError) -> RebuildReport? {
    let path = store.path + ".made"
    Self.remove(path)
    defer { Self.remove(path) }
    // Nothing is added meanwhile, so that both end alike.
    return try rebuilding.withLock { _ throws(LedgerError) in
      let end = done
      let made = try LedgerError.of(path) { () throws(SQLiteError) in
        try IndexStore(path, origin: "")
      }
      defer { made.close() }
      try fill(made, to: end)
      guard try !hasErasure(after: end) else { return nil }
      let keysSince = keysSince
      try LedgerError.of(path) { () throws(SQLiteError) in
        try made.write { (writer) throws(SQLiteError) in try writer.dropKeys(before: keysSince) }
      }
      try dropKeys(before: keysSince)
      // Its log goes into its file, which is what the other connection reads.
      made.close()
      var differences: UInt64 = 0
      try LedgerError.of(store.path) { () throws(SQLiteError) in
        try store.write { (writer) throws(SQLiteError) in differences = try writer.takeOver(path) }
      }
      return RebuildReport(events: end, differences: differences)
    }
  }

  private func fill(_ made: IndexStore, to end: UInt64) throws(LedgerError) {
    reading.forgetKeys()
    var next: UInt64 = 1
    while next <= end {
      guard !isClosing else {
        throw LedgerError(.closed, "the ledger is closed; the plane is stopping")
      }
      let limit = min(Self.page, Int(end - next + 1))
      let events = try events(from: next, limit: limit)
      guard let last = events.last?.header.sequence else { break }
      try add(events, to: made)
      next = last + 1
    }
  }

  private func hasErasure(after end: UInt64) throws(LedgerError) -> Bool {
    var next = end + 1
    while case let events = try reading.events(from: next, limit: Self.page),
      let last = events.last?.header.sequence
    {
      if events.contains(where: { $0.header.kind == .bodiesErased }) { return true }
      next = last + 1
    }
    return false
  }

  private static func remove(_ path: String) {
    for end in ["", "-wal", "-shm"] { try? AppendFile(path + end).remove() }
  }
}
