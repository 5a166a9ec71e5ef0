internal import Crypto
internal import EventLoop
internal import Host
internal import Synchronization

/// Keeps the index behind the ledger: what can be searched for, and what is open.
///
/// A thread of its own; nobody who appends waits for it. Whoever searches looks at the events that it
/// has not come to by themselves.
final class Indexer: Sendable {
  static let file = "ledger/index.db"
  static let page = 1_000
  /// How many of those that it is handed it adds at once: the more, the fewer rows.
  private static let handed = 8_192
  /// So that many small commits become one.
  private static let pause = Duration.milliseconds(50)

  let store: IndexStore
  /// So that the index of one ledger says nothing of another's, nor of what was erased to whoever has
  /// only the index.
  let salt: [UInt8]
  let reading: LedgerReading
  private let describe: (@Sendable (LedgerEvent) -> EventFacts?)?
  /// In microseconds.
  private let keyLife: Int64
  private let loop: EventLoop
  private let state: Mutex<State>
  /// Held by whoever writes the index: its own thread, or one that makes it anew.
  let rebuilding = Mutex(())

  private struct State {
    var done: UInt64
    var last: UInt64
    var recent = RecentEvents()
    var isCalled = false
    var isWipeTimed = false
    var isClosing = false
    var failure: SQLiteError?
    /// Keys of calls that ended before it are not kept, in microseconds since 1970. Some may be there
    /// still.
    var keysSince: Int64 = 0
    var hasOldKeys = false
  }

  /// Opens the index in a state folder, and brings it up to `last`. One that is damaged, or of
  /// something else, is made anew: nothing is in it that the events don't say.
  ///
  /// - Throws: `failing`, `full`, `damaged`.
  static func open(
    in folder: StateFolder,
    _ reading: LedgerReading,
    salt: [UInt8],
    origin: String,
    last: UInt64,
    _ options: LedgerOptions
  ) throws(LedgerError) -> Indexer {
    let path = folder.path(of: file)
    func attempt() throws(LedgerError) -> Indexer {
      try Indexer(path, reading, salt: salt, origin: origin, last: last, options)
    }
    if IndexStore.isGood(path, origin: origin, last: last), let found = try? attempt() {
      return found
    }
    for end in ["", "-wal", "-shm"] { try? folder.remove(file + end) }
    return try attempt()
  }

  private init(
    _ path: String,
    _ reading: LedgerReading,
    salt: [UInt8],
    origin: String,
    last: UInt64,
    _ options: LedgerOptions
  ) throws(LedgerError) {
    self.salt = salt
    self.reading = reading
    describe = options.describe
    keyLife = options.keyLife
    let store = try LedgerError.of(path) { () throws(SQLiteError) in
      try IndexStore(path, origin: origin)
    }
    self.store = store
    let done = try LedgerError.of(path) { () throws(SQLiteError) in try store.sequence() }
    state = Mutex(State(done: done, last: last))
    do {
      loop = try EventLoop(name: "ledger-index")
    } catch {
      throw LedgerError(.failing, error.description)
    }
    var told = ContinuousClock.now
    while try addNext() {
      // Of millions of events this takes long, and nobody is served meanwhile.
      guard .now - told >= options.indexNoticeDelay else { continue }
      told = .now
      options.notice(.indexing(done: self.done, of: last))
    }
  }

  /// Up to which event it goes.
  var done: UInt64 { state.withLock { $0.done } }

  var isClosing: Bool { state.withLock { $0.isClosing } }

  var keysSince: Int64 { state.withLock { $0.keysSince } }

  /// Drops the keys of calls that ended before `time`, in microseconds since 1970.
  func dropKeys(before time: Int64) throws(LedgerError) {
    state.withLock { $0.keysSince = max($0.keysSince, time) }
    try LedgerError.of(store.path) { () throws(SQLiteError) in
      try store.write { (writer) throws(SQLiteError) in try writer.dropKeys(before: time) }
    }
  }

  /// Drops keys whose time is over at `now`, the time of an event: some, once an hour until all are gone.
  private func dropOldKeys(at now: Int64) throws(LedgerError) {
    let (isDue, since) = state.withLock { state in
      if now - keyLife - state.keysSince >= Self.hour {
        (state.keysSince, state.hasOldKeys) = (now - keyLife, true)
      }
      return (state.hasOldKeys, state.keysSince)
    }
    guard isDue else { return }
    var areMore = false
    try LedgerError.of(store.path) { () throws(SQLiteError) in
      try store.write { (writer) throws(SQLiteError) in
        areMore = try writer.dropSomeKeys(before: since)
      }
    }
    state.withLock { $0.hasOldKeys = areMore }
  }

  private static let hour: Int64 = 3_600 * 1_000_000

  /// These are durable, and follow on those before. What finds no room here is read when it is its turn.
  func add(_ batch: RecentEvents.Batch) {
    let mustCall = state.withLock { state in
      state.recent.append(batch)
      state.last = max(state.last, batch.last)
      guard !state.isCalled else { return false }
      state.isCalled = true
      return true
    }
    guard mustCall else { return }
    loop.execute { self.loop.schedule(after: Self.pause) { self.catchUp() } }
  }

  private func catchUp() {
    state.withLock { $0.isCalled = false }
    do throws(LedgerError) {
      guard try addNext() else { return }
    } catch {
      // It stays behind; the events are there, and are looked at one by one.
      return
    }
    let mustCall = state.withLock { state in
      defer { state.isCalled = true }
      return !state.isCalled
    }
    if mustCall { loop.execute { self.catchUp() } }
  }

  /// Adds the next few events.
  ///
  /// - Returns: whether there may be more.
  func addNext() throws(LedgerError) -> Bool {
    try rebuilding.withLock { _ throws(LedgerError) in
      let (done, last, batches) = state.withLock {
        ($0.done, $0.last, $0.recent.take(from: $0.done + 1, to: $0.last, limit: Self.handed))
      }
      guard done < last else { return false }
      var recent: [LedgerEvent] = []
      recent.reserveCapacity(batches.reduce(0) { $0 + $1.count })
      for batch in batches { batch.add(&recent) }
      // What an erase among them took is read as it is by now.
      let events =
        recent.isEmpty || recent.contains { $0.header.kind == .bodiesErased }
        ? try events(from: done + 1, limit: Self.page) : recent
      guard let newest = events.last?.header else { return false }
      try add(events, to: store)
      try dropOldKeys(at: newest.time)
      state.withLock { $0.done = newest.sequence }
      wipe()
      return true
    }
  }

  /// Until nothing erased is left beside the index: who reads it now does not for long.
  private func wipe() {
    guard !store.wipe() else { return }
    let isFirst = state.withLock { state in
      defer { state.isWipeTimed = true }
      return !state.isWipeTimed && !state.isClosing
    }
    guard isFirst else { return }
    loop.execute {
      self.loop.schedule(after: .seconds(1)) {
        self.state.withLock { $0.isWipeTimed = false }
        self.wipe()
      }
    }
  }

  /// Reads events as they are once all is erased that they say is: keys may still be at hand.
  func events(from first: UInt64, limit: Int) throws(LedgerError) -> [LedgerEvent] {
    let events = try reading.events(from: first, limit: limit)
    guard events.contains(where: { $0.header.kind == .bodiesErased }) else { return events }
    reading.forgetKeys()
    return try reading.events(from: first, limit: events.count)
  }

  func add(_ events: [LedgerEvent], to store: IndexStore) throws(LedgerError) {
    let facts = events.map { describe?($0) }
    var erased: [EventHeader] = []
    for event in events where event.header.kind == .bodiesErased {
      erased += try self.facts(erasedBy: event, in: store)
    }
    try LedgerError.of(store.path) { () throws(SQLiteError) in
      try store.write { (writer) throws(SQLiteError) in
        try writer.add(events, facts, erased: erased, salt: salt)
      }
    }
    if !erased.isEmpty { store.erased() }
  }

  /// Comes to the end, and closes. The ledger grows no more.
  func close() async {
    state.withLock { $0.isClosing = true }
    await withCheckedContinuation { continuation in
      loop.execute {
        let end = ContinuousClock.now + .seconds(2)
        while ContinuousClock.now < end, (try? self.addNext()) == true {}
        continuation.resume()
      }
    }
    loop.stop()
    store.close()
  }
}
