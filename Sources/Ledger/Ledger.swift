internal import Crypto
internal import EventLoop
package import Host
internal import Synchronization

/// The append-only record of everything that happened.
///
/// One writer; it commits when idle, and what arrives meanwhile is its next batch. Whoever appends
/// is told when its event is durable, without a thread that blocks for it. Nothing is dropped under
/// load: those who append wait.
package final class Ledger: Sendable {
  static let storeFile = "ledger/events.db"

  /// What its checkpoints call it.
  package let origin: String
  private let store: SQLiteStore
  private let queue: WriteQueue
  private let ring = KeyRing()
  private let writer: LedgerWriter
  private let notary: Notary
  private let keys: CheckpointKeys
  private let isRotating = Atomic(false)
  private let clock: @Sendable () -> Int64
  private let notice: @Sendable (LedgerNotice) -> Void
  /// How long an idempotency key stands for its call behind its end, in microseconds.
  package let keyLife: Int64
  let reading: LedgerReading
  let head: LedgerHead
  let index: Indexer
  /// Counts how often it was opened to be written.
  package let life: UInt64

  /// Opens the ledger of a state folder, whose lock the caller holds, and makes one where there is
  /// none. Blocks.
  ///
  /// - Throws: `newer`, `damaged`, `failing`, `full`; `cut` when a checkpoint outside has seen more
  ///   than there is.
  package init(in folder: StateFolder, _ options: LedgerOptions) throws(LedgerError) {
    try LedgerError.ofHost { () throws(HostError) in try folder.makeFolder("ledger") }
    store = try SQLiteStore(folder.path(of: Self.storeFile))
    let isNew = try store.lastSequence() == 0
    let master = try MasterKey.open(in: folder, mayMake: isNew)
    keys = CheckpointKeys(in: folder)
    clock = options.clock
    notice = options.notice
    keyLife = options.keyLife
    queue = WriteQueue(clock: options.clock)
    reading = LedgerReading(store, master)
    writer = try LedgerWriter(store, queue, ring, master, options)
    let beginning = try LedgerBeginning(writer, keys, reading, options, isNew: isNew)
    origin = beginning.origin
    if let restoration = options.restoration { try beginning.goOn(from: restoration, writer) }
    let last = writer.statistics.lastSequence
    head = LedgerHead(last)
    notary = try Notary(
      key: beginning.key,
      origin: beginning.origin,
      lastSize: try beginning.lastCheckpoint(reading, options, last: last),
      options
    ) { [writer] answer in
      writer.loop.execute {
        let (size, root) = writer.head()
        answer(size, root)
      }
    }
    life = UInt64(writer.lease.epoch)
    index = try Indexer.open(
      in: folder,
      reading,
      salt: master.salt,
      origin: beginning.origin,
      last: last,
      options
    )
    store.follow { [head, notary] last in
      head.grew(to: last)
      notary.grew(to: last)
    }
    writer.onWritten { [index] in index.add($0) }
    notary.grew(to: last)
  }

  /// Events up to here are durable.
  package var lastSequence: UInt64 { head.last }

  /// What stands in the way of new events; nil: nothing.
  package var failure: LedgerError? { queue.failure }

  package var statistics: LedgerStatistics {
    var statistics = writer.statistics
    statistics.waiting = queue.count
    statistics.lastCheckpoint = notary.lastSize
    return statistics
  }

  /// The key that signs checkpoints, as other tools take it.
  package var verifierKey: String { notary.signer.text }

  /// Writes what waits, signs a last checkpoint, and takes no more.
  package func close() async {
    queue.close()
    let unwritten = await withCheckedContinuation { continuation in
      writer.loop.execute { [writer, notary] in
        let unwritten = writer.finish()
        let (size, root) = writer.head()
        let key = notary.key
        notary.loop.execute {
          notary.sign(size, root, key, mayRetry: false)
          continuation.resume(returning: unwritten)
        }
      }
    }
    if unwritten > 0 { notice(.unwritten(unwritten)) }
    writer.loop.stop()
    notary.loop.stop()
    await index.close()
    reading.close()
    head.end()
    store.close()
  }

  // MARK: Writing

  /// Appends an event, and returns when it is durable.
  ///
  /// - Throws: `full`, `failing`: then it is not recorded, and what it announces must not begin.
  package func append(_ draft: EventDraft) async throws(LedgerError) -> Receipt {
    let pending = Pending(draft)
    // Here rather than on the writer's thread: there are many of us, and one of it.
    if let body = draft.body {
      if let sealed = ring.seal(body, draft.scope, at: clock()) {
        pending.putTogether(draft.header, sealed)
      }
    } else {
      pending.putTogether(draft.header, nil)
    }
    return try await add(pending).get()
  }

  /// Appends an event for a loop, which must not wait: `then` is called on the ledger's thread, or at
  /// once when it is refused. `draft` is made on the ledger's thread.
  package func submit(
    _ draft: @escaping @Sendable () -> EventDraft,
    then: @escaping @Sendable (Result<Receipt, LedgerError>) -> Void
  ) {
    let pending = Pending(isFact: false, draft)
    pending.waiter = .told(then)
    add(pending)
  }

  /// Appends what has happened already. It is kept while the store fails.
  ///
  /// - Parameters:
  ///   - bytes: what it holds in memory until it is written, roughly. Asked for while the store fails
  ///     only, more than once, on any thread.
  ///   - fact: made on the ledger's thread.
  ///   - then: called on the ledger's thread when it is durable; not at all if it never is.
  package func record(
    bytes: @escaping @Sendable () -> Int = { 1_024 },
    _ fact: @escaping @Sendable () -> EventDraft,
    then: (@Sendable () -> Void)? = nil
  ) {
    let pending = Pending(isFact: true, fact)
    pending.bytes = bytes
    if let then { pending.waiter = .told { if case .success = $0 { then() } } }
    add(pending)
  }

  /// Destroys the key of a scope, so that its bodies can never be read again, and records who did.
  ///
  /// - Throws: `invalid` when there is nothing to erase.
  package func erase(
    _ scope: String,
    by actor: EventPrincipal,
    rule: String
  ) async throws(LedgerError) -> Receipt {
    var draft = EventDraft.own(.erased(scope: scope, rule: rule), by: actor)
    if scope.hasPrefix("chat/") { draft.header.chat = String(scope.dropFirst(5)) }
    guard scope != BodyScope.ledger.name(at: 0) else {
      throw LedgerError(.invalid, "the ledger's own bodies hold its keys' history, and stay")
    }
    let pending = Pending(draft, action: .destroyKey(scope))
    defer { reading.forgetKeys() }
    return try await add(pending).get()
  }

  /// Whether the key of a scope was destroyed.
  package func isErased(_ scope: String) async throws(LedgerError) -> Bool {
    try await reading.later { [store] () throws(LedgerError) in
      guard let key = try store.key(named: scope) else { return false }
      return key.wrapped == nil
    }
  }

  /// Exchanges the key that signs checkpoints. The old one signs the new one's name, in an event, and
  /// nothing behind that event.
  ///
  /// - Throws: `taken` while it is being exchanged; `full`, `failing`: then the old one goes on, unless
  ///   the message says that only the new one's file is not in its place.
  package func rotateKey(by actor: EventPrincipal?) async throws(LedgerError) -> KeyRotation {
    // There is one file for the next key, and one event for what is in it.
    guard !isRotating.exchange(true, ordering: .acquiring) else {
      throw LedgerError(.taken, "the key is being exchanged already; see that it is wanted twice")
    }
    defer { isRotating.store(false, ordering: .releasing) }
    let new = try keys.next(after: notary.key)
    let (old, signer) = (notary.key, notary.signer)
    let next = NoteKey(name: signer.name, key: new.verifier)
    let signature: [UInt8]
    do {
      signature = try old.sign(OwnBody.rotationMessage(next.text))
    } catch {
      throw LedgerError(.failing, error.description)
    }
    let body = OwnBody.keyRotated(old: signer.text, new: next.text, signature: signature)
    // Before anybody else's event is durable, so that no checkpoint beyond it has the old key.
    let pending = Pending(.own(body, by: actor))
    let receipt = try await add(pending) { [notary] result in
      if case .success = result { notary.use(new) }
    }.get()
    do throws(LedgerError) {
      try keys.promote()
    } catch {
      throw LedgerError(
        error.code,
        "event \(receipt.sequence) has exchanged the key, and the new one lies in "
          + "\(CheckpointKeys.nextFile) still: \(error.message). It is put in its place by the plane's "
          + "next start, or by the next exchange"
      )
    }
    return KeyRotation(event: receipt, old: signer.text, new: next.text)
  }

  /// `first`: hears of it before whoever waits does, on the ledger's thread.
  private func add(
    _ pending: Pending,
    first: (@Sendable (Result<Receipt, LedgerError>) -> Void)? = nil
  ) async -> Result<Receipt, LedgerError> {
    await withCheckedContinuation { continuation in
      pending.waiter = .task(continuation)
      if let first {
        pending.waiter = .told { result in
          first(result)
          continuation.resume(returning: result)
        }
      }
      add(pending)
    }
  }

  private func add(_ pending: Pending) {
    switch queue.add(pending) {
    case .taken(let mustCall): if mustCall { writer.call() }
    case .refused(let error): pending.answer(.failure(error))
    }
  }
}
