internal import Crypto
internal import EventLoop
internal import Host
internal import Synchronization

/// The one who writes: takes what waits, gives it numbers, hashes it into the tree, and commits.
///
/// `@unchecked Sendable`: all that changes is touched on its loop, which nobody else is on; it blocks
/// there while the disk works.
final class LedgerWriter: @unchecked Sendable {
  let loop: EventLoop
  private let store: any EventStore
  private let queue: WriteQueue
  private let ring: KeyRing
  private let master: MasterKey
  private let options: LedgerOptions
  let lease: WriteLease
  private let shared: Mutex<LedgerStatistics>

  private var tree: CompactRange
  private var hasher = TreeHasher()
  private var nextScope: Int64
  private var failingSince: Int64?
  private var isClosing = false
  private var isWipeTimed = false
  /// Is given each batch that is durable. Not in a `Mutex`: each look at a closure there wraps it once
  /// more.
  private var reader: (@Sendable (RecentEvents.Batch) -> Void)?

  /// The tree is kept each so many events: opening hashes at most as many anew.
  static let treeInterval: UInt64 = 16_384

  init(
    _ store: any EventStore,
    _ queue: WriteQueue,
    _ ring: KeyRing,
    _ master: MasterKey,
    _ options: LedgerOptions
  ) throws(LedgerError) {
    self.store = store
    self.queue = queue
    self.ring = ring
    self.master = master
    self.options = options
    lease = try store.lease(as: options.holder, atLeast: options.restoration?.life ?? 0)
    tree = try LedgerWriter.tree(of: store)
    nextScope = try store.lastKeyScope() + 1
    var statistics = LedgerStatistics()
    statistics.lastSequence = tree.size
    shared = Mutex(statistics)
    do {
      loop = try EventLoop(name: "ledger")
    } catch {
      throw LedgerError(.failing, error.description)
    }
  }

  var statistics: LedgerStatistics { shared.withLock { $0 } }

  /// The tree of all events: the last one that was kept, and what came after it.
  static func tree(of store: any EventStore) throws(LedgerError) -> CompactRange {
    let last = try store.lastSequence()
    var tree = try store.tree(atMost: last)
    var hasher = TreeHasher()
    while tree.size < last {
      let events = try store.read(from: tree.size + 1, limit: 1_000)
      guard events.first?.sequence == tree.size + 1 else {
        throw LedgerError(
          .damaged,
          "event \(tree.size + 1) of the ledger is missing; run: gatehouse audit verify"
        )
      }
      for event in events { tree.append(hasher.leaf(event.header), &hasher) }
    }
    return tree
  }

  /// Gives each batch from now on to `read` when it is durable, on the loop: with its bodies, which
  /// nobody has to open again. To be called before anybody else has the writer.
  func onWritten(_ read: @escaping @Sendable (RecentEvents.Batch) -> Void) { reader = read }

  /// The tree's size and root, on the loop.
  func head() -> (size: UInt64, root: Hash256) {
    loop.preconditionOnLoop()
    return (tree.size, tree.root(&hasher))
  }

  /// Writes the first event of a new ledger, or of one that was restored, before anybody else has the
  /// writer.
  func begin(with draft: EventDraft) throws(LedgerError) {
    let pending = Pending(draft)
    pending.time = options.clock()
    try commit([pending])
  }

  /// Something waits.
  func call() { loop.execute { self.writeNext() } }

  /// Writes what waits; then no more. On the loop.
  ///
  /// - Returns: how many facts could not be written.
  func finish() -> Int {
    loop.preconditionOnLoop()
    isClosing = true
    if failingSince != nil { retry() }
    while failingSince == nil, case let batch = queue.take(), !batch.isEmpty { write(batch) }
    return queue.count + queue.missing
  }

  private func writeNext() {
    let batch = queue.take()
    guard !batch.isEmpty else { return }
    write(batch)
    // By way of the loop: checkpoints and timers come in between.
    if failingSince == nil, !isClosing { call() }
  }

  private func write(_ batch: [Pending]) {
    do {
      try commit(batch)
      for pending in batch { pending.answer() }
    } catch {
      failed(batch, error)
    }
  }

  /// What a transaction is to be.
  private struct Making {
    var stored = StoreBatch()
    var tree: CompactRange
    /// Keys that did not exist before.
    var fresh: [Fresh] = []
    /// Names of scopes.
    var destroyed: [String] = []

    struct Fresh {
      let name: String
      let scope: BodyScope
      let time: Int64
      let key: BodyKey
    }
  }

  /// Makes one transaction of them. Those that cannot be sealed fail alone.
  private func commit(_ batch: [Pending]) throws(LedgerError) {
    var making = Making(tree: tree)
    making.stored.events.reserveCapacity(batch.count)
    for pending in batch {
      do throws(LedgerError) {
        try prepare(pending, &making)
        let event = pending.stored(making.tree.size + 1)
        making.tree.append(hasher.leaf(event.header), &hasher)
        making.stored.events.append(event)
      } catch {
        // Of one scope, not of the store: the others go on.
        guard [.erased, .invalid, .damaged].contains(error.code) else { throw error }
        pending.refuse(error)
      }
    }
    let isTreeKept = making.tree.size / Self.treeInterval != tree.size / Self.treeInterval
    if isTreeKept { making.stored.tree = making.tree }
    try store.append(making.stored, under: lease)
    tree = making.tree
    nextScope += Int64(making.fresh.count)
    for made in making.fresh where !making.destroyed.contains(made.name) {
      ring.insert(made.key, made.scope, name: made.name, at: made.time)
    }
    for name in making.destroyed { ring.remove(name) }
    count(making.stored.events.count)
    if let reader, let written = RecentEvents.Batch(batch) { reader(written) }
    wipeLater()
  }

  /// Until no copy of a destroyed key is left: who is in the way now, as a backup, is not for long.
  private func wipeLater() {
    guard store.mustWipe, !isWipeTimed, !isClosing else { return }
    isWipeTimed = true
    // A ledger's first event is written before its loop is anybody's.
    loop.execute {
      self.loop.schedule(after: self.options.retryDelay) {
        self.isWipeTimed = false
        self.store.wipe()
        self.wipeLater()
      }
    }
  }

  private func count(_ events: Int) {
    shared.withLock { statistics in
      statistics.lastSequence = tree.size
      statistics.batches += 1
      statistics.largestBatch = max(statistics.largestBatch, events)
    }
    options.batchWritten?(events)
  }

  /// Does what whoever appended it has not: its body is sealed, its header put together.
  private func prepare(_ pending: Pending, _ making: inout Making) throws(LedgerError) {
    if case .destroyKey(let name) = pending.action {
      guard let key = try store.key(named: name), key.wrapped != nil else {
        throw LedgerError(.invalid, "there is nothing of '\(name)' to erase")
      }
      making.stored.destroyedKeys.append(key.scope)
      making.destroyed.append(name)
    }
    guard !pending.isPutTogether else { return }
    let draft = pending.draft()
    guard let body = draft.body else { return pending.putTogether(draft.header, nil) }
    do throws(LedgerError) {
      let sealed = try seal(body, draft.scope, at: pending.time, &making)
      pending.putTogether(draft.header, sealed)
    } catch {
      // What happened is kept without its content, where that may not be any more.
      guard error.code == .erased, pending.isFact else { throw error }
      pending.putTogether(draft.header, nil)
    }
  }

  private func seal(
    _ body: [UInt8],
    _ scope: BodyScope,
    at time: Int64,
    _ making: inout Making
  ) throws(LedgerError) -> SealedBody {
    if let sealed = ring.seal(body, scope, at: time) { return sealed }
    let name = scope.name(at: time)
    if let made = making.fresh.first(where: { $0.name == name }) {
      return made.key.seal(body, ring.random())
    }
    if let key = try stored(name) {
      ring.insert(key, scope, name: name, at: time)
      return key.seal(body, ring.random())
    }
    let secret = SecureRandom.bytes(AES256GCM.keyBytes)
    let key = BodyKey(scope: nextScope + Int64(making.fresh.count), secret)
    making.stored.newKeys.append(
      StoredKey(scope: key.scope, name: name, wrapped: master.wrap(secret, scope: name))
    )
    making.fresh.append(.init(name: name, scope: scope, time: time, key: key))
    return key.seal(body, ring.random())
  }

  /// A key of the store.
  private func stored(_ name: String) throws(LedgerError) -> BodyKey? {
    guard let stored = try store.key(named: name) else { return nil }
    guard stored.wrapped != nil else {
      throw LedgerError(.erased, "the bodies of '\(name)' were erased; it takes no more")
    }
    guard let key = master.unwrap(stored) else {
      throw LedgerError(
        .damaged,
        "the key of '\(name)' in the ledger does not open with \(MasterKey.file); restore both"
      )
    }
    return key
  }

  // MARK: Failures

  private func failed(_ batch: [Pending], _ error: LedgerError) {
    let isFirst = failingSince == nil
    if isFirst { failingSince = options.clock() }
    let refused = queue.fail(batch, error)
    shared.withLock { $0.isFailing = true }
    for pending in refused { pending.answer(.failure(error)) }
    if isFirst { options.notice(.failing(error)) }
    guard !isClosing else { return }
    loop.schedule(after: options.retryDelay) { self.retry() }
  }

  /// Tries again, with an event that says what was amiss; what waited goes on behind it.
  private func retry() {
    guard let since = failingSince, let failure = queue.failure else { return }
    let (kept, missing) = (queue.count, queue.missing)
    func resumed(kept: Int, missing: Int) -> Pending {
      let body = OwnBody.resumed(
        since: since,
        reason: failure.message,
        kept: UInt64(kept),
        missing: UInt64(missing)
      )
      let pending = Pending(.own(body), isFact: true)
      pending.time = options.clock()
      return pending
    }
    do {
      try commit([resumed(kept: kept, missing: missing)])
    } catch {
      guard !isClosing else { return }
      loop.schedule(after: options.retryDelay) { self.retry() }
      return
    }
    failingSince = nil
    shared.withLock { $0.isFailing = false }
    let lost = queue.resume()
    options.notice(.resumed(kept: kept, missing: lost))
    if lost > missing {
      // What found no room while that was written; it stands before what waited.
      let rest = [resumed(kept: 0, missing: lost - missing)]
      do { try commit(rest) } catch { return failed(rest, error) }
    }
    if !isClosing { call() }
  }
}

extension EventDraft {
  /// One of the ledger's own.
  static func own(_ body: OwnBody, by actor: EventPrincipal? = nil) -> EventDraft {
    var header = EventHeader(body.kind)
    header.principal = actor
    return EventDraft(header, scope: .ledger, body: body.encoded)
  }
}
