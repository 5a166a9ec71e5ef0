extension Ledger {
  /// At most `limit` events from a sequence number on, in order; fewer at the end.
  package func read(
    from sequence: UInt64,
    limit: Int
  ) async throws(LedgerError) -> [LedgerEvent] {
    try await reading.eventsLater(from: sequence, limit: limit)
  }

  /// All events from a sequence number on, then each new one when it is durable.
  package func follow(from sequence: UInt64) -> LedgerFeed { LedgerFeed(self, next: sequence) }

  /// How many bytes an event takes in the store: header, and body sealed.
  package func storedBytes(of event: LedgerEvent) -> (header: Int, body: Int) {
    guard case .bytes(let body) = event.body else { return (event.header.encoded.count, 0) }
    return (event.header.encoded.count, body.count + BodyKey.overheadBytes)
  }

  /// Waits until there is an event with at least this number; false when the ledger was closed or
  /// the task cancelled.
  package func reaches(_ sequence: UInt64) async -> Bool { await head.reaches(sequence) }
}

/// Events as they come. A reader is at its own pace: none waits for another, nor the writer for any.
/// Ends when the ledger is closed, or its task cancelled.
package struct LedgerFeed: AsyncSequence {
  private let ledger: Ledger
  private let first: UInt64

  init(_ ledger: Ledger, next: UInt64) {
    self.ledger = ledger
    first = next == 0 ? 1 : next
  }

  package func makeAsyncIterator() -> Iterator { Iterator(ledger, next: first) }

  package struct Iterator: AsyncIteratorProtocol {
    private let ledger: Ledger
    private var sequence: UInt64
    private var page: ArraySlice<LedgerEvent> = []

    fileprivate init(_ ledger: Ledger, next: UInt64) {
      self.ledger = ledger
      sequence = next
    }

    /// - Throws: `LedgerError`.
    package mutating func next() async throws -> LedgerEvent? {
      if page.isEmpty {
        guard await ledger.reaches(sequence) else { return nil }
        page = try await ledger.read(from: sequence, limit: 256)[...]
      }
      guard let event = page.popFirst() else { return nil }
      sequence = event.header.sequence + 1
      return event
    }
  }
}
