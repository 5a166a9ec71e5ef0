internal import Host
internal import Testing

@testable internal import Ledger

@Suite(.timeLimit(.minutes(5))) struct `Reading bodies` {
  @Test func `a key that was read before an erase does not come back behind it`() async throws {
    let test = try TestLedger()
    try await test.with { ledger in _ = try await ledger.append(.sample("secret", chat: "chat_1")) }
    let store = ErasedMeanwhile(try SQLiteStore(test.storePath))
    let reading = LedgerReading(store, try MasterKey.find(in: test.folder.path))
    defer { reading.close() }
    store.erase = { (key) throws(LedgerError) in
      let lease = try store.store.lease(as: "test", atLeast: 0)
      try store.store.append(StoreBatch(destroyedKeys: [key]), under: lease)
      reading.forgetKeys()
    }
    // Whoever began before the erase may still be answered.
    #expect(try reading.events(from: 2, limit: 1).map(\.text) == ["secret"])
    #expect(try reading.events(from: 2, limit: 1).map(\.body) == [.erased])
  }
}

/// A store whose key is destroyed just when it was read, once.
///
/// `@unchecked Sendable`: one test uses it, on one thread at a time.
private final class ErasedMeanwhile: EventStore, @unchecked Sendable {
  let store: SQLiteStore
  var erase: ((Int64) throws(LedgerError) -> Void)?

  init(_ store: SQLiteStore) { self.store = store }

  func key(_ scope: Int64) throws(LedgerError) -> StoredKey? {
    let key = try store.key(scope)
    if let erase {
      self.erase = nil
      try erase(scope)
    }
    return key
  }

  var mustWipe: Bool { store.mustWipe }
  func wipe() { store.wipe() }
  func lease(as holder: String, atLeast epoch: Int64) throws(LedgerError) -> WriteLease {
    try store.lease(as: holder, atLeast: epoch)
  }
  func append(_ batch: StoreBatch, under lease: WriteLease) throws(LedgerError) {
    try store.append(batch, under: lease)
  }
  func read(from sequence: UInt64, limit: Int) throws(LedgerError) -> [StoredEvent] {
    try store.read(from: sequence, limit: limit)
  }
  func follow(_ news: @escaping @Sendable (UInt64) -> Void) { store.follow(news) }
  func lastSequence() throws(LedgerError) -> UInt64 { try store.lastSequence() }
  func key(named name: String) throws(LedgerError) -> StoredKey? { try store.key(named: name) }
  func lastKeyScope() throws(LedgerError) -> Int64 { try store.lastKeyScope() }
  func tree(atMost size: UInt64) throws(LedgerError) -> CompactRange {
    try store.tree(atMost: size)
  }
  func trees() throws(LedgerError) -> [CompactRange] { try store.trees() }
}
