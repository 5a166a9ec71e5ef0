internal import EventLoop
internal import Synchronization

/// Reads events, and opens their bodies.
final class LedgerReading: Sendable {
  private let store: any EventStore
  /// Nil: it is not at hand, so no body opens.
  private let master: MasterKey?
  private let pool = WorkerPool(name: "ledger-read", threads: 2, maxQueued: 4_096)
  private let cache = Mutex(Cache())

  private struct Cache {
    var keys: [Int64: BodyKey] = [:]
    /// Counts how often they were forgotten.
    var generation = 0
  }

  init(_ store: any EventStore, _ master: MasterKey?) {
    self.store = store
    self.master = master
  }

  func close() { pool.close() }

  /// As `events`, on a thread that may block.
  func eventsLater(from sequence: UInt64, limit: Int) async throws(LedgerError) -> [LedgerEvent] {
    try await later { () throws(LedgerError) in try self.events(from: sequence, limit: limit) }
  }

  /// Runs `body` on a thread that may block.
  func later<Value: Sendable>(
    _ body: @escaping @Sendable () throws(LedgerError) -> Value
  ) async throws(LedgerError) -> Value {
    do {
      return try await pool.run { try body() }
    } catch let error as LedgerError {
      throw error
    } catch {
      throw LedgerError(.closed, "\(error)")
    }
  }

  /// At most `limit` events from a sequence number on. Blocks.
  ///
  /// - Throws: `damaged` when a header is none.
  func events(from sequence: UInt64, limit: Int) throws(LedgerError) -> [LedgerEvent] {
    var events: [LedgerEvent] = []
    for stored in try store.read(from: sequence, limit: limit) {
      guard let header = try? EventHeader(canonical: stored.header) else {
        throw LedgerError(
          .damaged,
          "event \(stored.sequence) of the ledger is damaged; run: gatehouse audit verify"
        )
      }
      events.append(LedgerEvent(header: header, body: try body(of: stored, header)))
    }
    return events
  }

  func body(
    of stored: StoredEvent,
    _ header: EventHeader
  ) throws(LedgerError) -> LedgerEvent.Body {
    guard let digest = header.bodyDigest else { return stored.body == nil ? .none : .unreadable }
    switch try key(stored.scope) {
    case .found(let key):
      guard let bytes = stored.body, let body = key.open(bytes, digest) else { return .unreadable }
      return .bytes(body)
    case .destroyed: return .erased
    case .missing: return .unreadable
    }
  }

  private enum Found { case found(BodyKey), destroyed, missing }

  private func key(_ scope: Int64) throws(LedgerError) -> Found {
    let (known, generation) = cache.withLock { ($0.keys[scope], $0.generation) }
    if let known { return .found(known) }
    guard let stored = try store.key(scope) else { return .missing }
    guard stored.wrapped != nil else { return .destroyed }
    guard let key = master?.unwrap(stored) else { return .missing }
    cache.withLock { cache in
      // One that was read before an erase must not come back behind it.
      guard cache.generation == generation else { return }
      if cache.keys.count >= 4_096 { cache.keys.removeAll(keepingCapacity: true) }
      cache.keys[scope] = key
    }
    return .found(key)
  }

  /// What was erased is read no more.
  func forgetKeys() {
    cache.withLock { cache in
      cache.keys.removeAll()
      cache.generation += 1
    }
  }
}
