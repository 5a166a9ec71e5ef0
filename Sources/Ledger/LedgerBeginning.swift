internal import Crypto
internal import Host

/// Who a ledger is, as its first event says, and which key signs for it now.
struct LedgerBeginning {
  let origin: String
  let key: SigningKey

  init(
    _ writer: LedgerWriter,
    _ keys: CheckpointKeys,
    _ reading: LedgerReading,
    _ options: LedgerOptions,
    isNew: Bool
  ) throws(LedgerError) {
    if isNew {
      try Self.checkNoOther(options)
      key = try keys.make(CheckpointKeys.file)
      origin = options.origin
      let verifier = NoteKey(name: options.origin, key: key.verifier)
      try writer.begin(with: .own(.begun(verifier: verifier.text)))
      return
    }
    let first = try Self.begun(reading)
    origin = first.name
    if let current = try keys.current() {
      key = current
    } else {
      key = try keys.key(for: Self.lastVerifier(reading, first))
    }
  }

  /// A folder without a ledger beside checkpoints of one: that of a disk that is not mounted, as a rule, or
  /// of a plane that is to be restored.
  private static func checkNoOther(_ options: LedgerOptions) throws(LedgerError) {
    guard let file = options.checkpointFile,
      let last = CheckpointFile.parse(try end(of: file)).last?.checkpoint
    else { return }
    throw LedgerError(
      .cut,
      "there is no ledger in the state folder, but \(file) has seen \(last.size) events of one, "
        + "\(last.origin). Mount the disk that it is on, or restore a backup: gatehouse restore. To begin "
        + "another ledger, move that file away"
    )
  }

  /// A note has 300 bytes, or a few more.
  private static func end(of file: String) throws(LedgerError) -> String {
    let end = try LedgerError.ofHost { () throws(HostError) in
      try AppendFile(file).readEnd(maxBytes: 64 << 10)
    }
    return String(decoding: end ?? [], as: UTF8.self)
  }

  static func begun(_ reading: LedgerReading) throws(LedgerError) -> NoteKey {
    if let event = try reading.events(from: 1, limit: 1).first, event.header.sequence == 1,
      case .bytes(let bytes) = event.body,
      case .begun(let text)? = try? OwnBody(event.header.kind, bytes),
      let key = NoteKey(text: text)
    {
      return key
    }
    throw LedgerError(
      .damaged,
      "the ledger's first event is not its beginning; run: gatehouse audit verify"
    )
  }

  /// The key that was named last. Reads the whole ledger, which is asked for only where an exchange
  /// of keys was cut off.
  private static func lastVerifier(
    _ reading: LedgerReading,
    _ first: NoteKey
  ) throws(LedgerError) -> NoteKey {
    var verifier = first
    var next: UInt64 = 1
    while case let events = try reading.events(from: next, limit: 1_000), let last = events.last {
      for event in events where event.header.kind == .keyRotated {
        guard case .bytes(let bytes) = event.body,
          case .keyRotated(_, let new, _)? = try? OwnBody(.keyRotated, bytes),
          let key = NoteKey(text: new)
        else { continue }
        verifier = key
      }
      next = last.header.sequence + 1
    }
    return verifier
  }

  /// Has a copy that is gone on from say so, in its next event.
  func goOn(from restoration: Restoration, _ writer: LedgerWriter) throws(LedgerError) {
    try writer.begin(with: .own(.restored(restoration)))
  }

  /// How far the last checkpoint outside reaches; 0 where there is none of this ledger.
  ///
  /// - Throws: `cut` when that is beyond the ledger's end: to go on would make two histories.
  func lastCheckpoint(
    _ reading: LedgerReading,
    _ options: LedgerOptions,
    last: UInt64
  ) throws(LedgerError) -> UInt64 {
    guard let file = options.checkpointFile else { return 0 }
    let sizes =
      CheckpointFile.parse(try Self.end(of: file))
      .filter { $0.checkpoint.origin == origin }
      .map(\.checkpoint.size)
    var seen = sizes.max() ?? 0
    if let restoration = options.restoration {
      // Its own event has no checkpoint yet. What was seen may be of a history that was given up, on
      // record: then it vouches for nothing here.
      let since = try Self.seenSinceRestoring(sizes, reading, last: last - 1)
      if since ?? seen <= max(restoration.until, last - 1) { return 0 }
    } else if seen > last {
      seen = try Self.seenSinceRestoring(sizes, reading, last: last) ?? seen
    }
    guard seen > last else { return seen }
    throw LedgerError(
      .cut,
      "the ledger ends with event \(last), but \(file) has seen \(seen): events were removed, or an "
        + "old copy put back. Restore the newer copy; or, to go on without what is missing and have that "
        + "on record, restore this one with: gatehouse restore --accept-loss"
    )
  }

  /// How far checkpoints reach since the ledger was last restored. In the file they stand behind those
  /// of the history that was given up, and the first of them has the event that gives it up as its last.
  private static func seenSinceRestoring(
    _ sizes: [UInt64],
    _ reading: LedgerReading,
    last: UInt64
  ) throws(LedgerError) -> UInt64? {
    var found: (index: Int, until: UInt64, since: UInt64)?
    for index in sizes.indices.reversed() where sizes[index] <= last {
      // One before the last restoration is of an event before it.
      if let found, sizes[index] >= sizes[found.index] { continue }
      guard let event = try reading.events(from: sizes[index], limit: 1).first,
        event.header.kind == .ledgerRestored, case .bytes(let bytes) = event.body,
        case .restored(let restoration)? = try? OwnBody(.ledgerRestored, bytes)
      else { continue }
      if let found { return sinceGivingUp(sizes[index..<found.index], found) }
      found = (index, max(restoration.until, sizes[index] - 1), sizes[index...].max() ?? 0)
    }
    return found.flatMap { sinceGivingUp(sizes[..<$0.index], $0) }
  }

  /// How far checkpoints reach since, if the restoration gives up all that `before` has seen.
  private static func sinceGivingUp(
    _ before: ArraySlice<UInt64>,
    _ restored: (index: Int, until: UInt64, since: UInt64)
  ) -> UInt64? {
    before.allSatisfy { $0 <= restored.until } ? restored.since : nil
  }
}
