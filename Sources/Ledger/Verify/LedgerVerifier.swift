internal import Crypto
internal import Host

/// Looks at every byte of a ledger: whether it is what was written, in whole and in order, and what
/// was signed. Reads only, of a running plane's ledger too.
package struct LedgerVerifier {
  private let store: SQLiteStore
  private let reading: LedgerReading
  private let hasMaster: Bool
  private let last: UInt64
  private var report = VerifyReport()
  private var tree = CompactRange()
  private var verdicts: CheckpointVerdicts
  private var trees: ArraySlice<CompactRange>
  private var verifier: NoteKey?
  /// Bodies whose keys are gone: how many, and the first, by scope.
  private var destroyed: [Int64: (count: UInt64, first: UInt64)] = [:]
  private var erasures: Set<String> = []
  /// Of scopes whose keys are gone.
  private var names: [Int64: String] = [:]
  /// An event was missing or pushed in, so nothing behind it can hash to what was signed.
  private var isShifted = false

  /// Looks at the ledger in a plane's state folder, or a copy of one.
  ///
  /// `checkpointFile` is what was kept outside; nil: nothing was, which proves little. `key` is the one
  /// that signed the ledger's first checkpoints, as kept by someone else; nil: the one that the ledger
  /// itself names. `progress` is told how many events were looked at, of how many.
  package static func verify(
    _ folder: String,
    checkpointFile: String?,
    trusting key: String? = nil,
    progress: (_ done: UInt64, _ of: UInt64) -> Void = { _, _ in }
  ) throws(LedgerError) -> VerifyReport {
    var list: CheckpointList?
    if let checkpointFile {
      list = try LedgerError.ofHost { () throws(HostError) in
        try CheckpointFile(path: checkpointFile).list()
      }
    }
    return try verify(folder, against: list ?? .init(), trusting: key, progress: progress)
  }

  /// As above, against these.
  static func verify(
    _ folder: String,
    against list: CheckpointList,
    trusting key: String? = nil,
    progress: (_ done: UInt64, _ of: UInt64) -> Void = { _, _ in }
  ) throws(LedgerError) -> VerifyReport {
    var verifier = try LedgerVerifier(folder, list)
    return try verifier.run(trusting: key, progress)
  }

  private init(_ folder: String, _ list: CheckpointList) throws(LedgerError) {
    store = try SQLiteStore(reading: "\(folder)/\(Ledger.storeFile)")
    let master = try MasterKey.find(in: folder)
    hasMaster = master != nil
    reading = LedgerReading(store, master)
    last = try store.lastSequence()
    trees = try store.trees()[...]
    report.unreadable = list.unreadable
    verdicts = CheckpointVerdicts(list)
  }

  private mutating func run(
    trusting key: String?,
    _ progress: (UInt64, UInt64) -> Void
  ) throws(LedgerError) -> VerifyReport {
    // The ledger names it in a body, which nobody can read then.
    if !hasMaster, let key { verifier = NoteKey(text: key) }
    var hasher = TreeHasher()
    var next: UInt64 = 1
    while next <= last {
      let page = try store.read(from: next, limit: 1_000)
      guard let end = page.last?.sequence else { break }
      for stored in page where stored.sequence <= last {
        try look(at: stored, expected: report.events + 1, trusting: key, &hasher)
      }
      next = end + 1
      progress(min(end, last), last)
    }
    try finish()
    report.root = Hex.encode(tree.root(&hasher).bytes)
    return report
  }

  // MARK: Events

  private mutating func look(
    at stored: StoredEvent,
    expected: UInt64,
    trusting key: String?,
    _ hasher: inout TreeHasher
  ) throws(LedgerError) {
    defer { report.events += 1 }
    if stored.sequence != tree.size + 1, !isShifted {
      isShifted = true
      report.add(
        .missing,
        tree.size + 1,
        stored.sequence == tree.size + 2
          ? "event \(tree.size + 1) is missing"
          : "events \(tree.size + 1) to \(stored.sequence - 1) are missing"
      )
    }
    tree.append(hasher.leaf(stored.header), &hasher)
    if let header = try? EventHeader(canonical: stored.header) {
      report.lastTime = header.time
      try look(at: stored, header, trusting: key)
    } else {
      report.add(
        .malformed,
        stored.sequence,
        "event \(stored.sequence): its header is not one; it was changed"
      )
    }
    compare(&hasher)
  }

  private mutating func look(
    at stored: StoredEvent,
    _ header: EventHeader,
    trusting key: String?
  ) throws(LedgerError) {
    guard header.sequence == stored.sequence else {
      return report.add(
        .misplaced,
        stored.sequence,
        "in the place of event \(stored.sequence) is one that was written as \(header.sequence)"
      )
    }
    switch try reading.body(of: stored, header) {
    case .none: break
    case .bytes(let body): keep(header, body, trusting: key)
    case .erased:
      guard header.mayBeErased(withScope: try name(of: stored.scope)) else {
        return report.add(
          .body,
          stored.sequence,
          "event \(stored.sequence) (\(header.kind.name)): its body is gone as if it had been erased, "
            + "with a key that is not its own"
        )
      }
      let before = destroyed[stored.scope] ?? (0, stored.sequence)
      destroyed[stored.scope] = (before.count + 1, before.first)
    case .unreadable where !hasMaster && stored.body != nil:
      report.uncheckedBodies += 1
      // Nobody can say who signs from here on.
      if header.kind == .keyRotated { verifier = nil }
    case .unreadable:
      report.add(
        .body,
        stored.sequence,
        "event \(stored.sequence) (\(header.kind.name)): its body is not the one it was written with"
      )
    }
    if stored.sequence == 1, header.kind != .ledgerBegun {
      report.add(.keys, 1, "the first event is \(header.kind.name), not the ledger's beginning")
    }
  }

  private mutating func name(of scope: Int64) throws(LedgerError) -> String {
    if let name = names[scope] { return name }
    let name = try store.key(scope)?.name ?? ""
    names[scope] = name
    return name
  }

  /// The history of keys, and who erased what.
  private mutating func keep(_ header: EventHeader, _ body: [UInt8], trusting key: String?) {
    guard OwnBody.kinds.contains(header.kind) else { return }
    switch try? OwnBody(header.kind, body) {
    case .begun(let text):
      guard header.sequence == 1, let named = NoteKey(text: text), key ?? text == text else {
        return report.add(
          .keys,
          header.sequence,
          "event \(header.sequence) begins a ledger signed by \(text), which is not the key"
        )
      }
      verifier = named
      report.origin = named.name
    case .keyRotated(let old, let new, let signature):
      guard let current = verifier, current.text == old, let next = NoteKey(text: new),
        next.name == current.name,
        current.key.verifies(signature, of: OwnBody.rotationMessage(new))
      else {
        return report.add(
          .keys,
          header.sequence,
          "event \(header.sequence) exchanges the key without the old one's signature"
        )
      }
      verifier = next
    case .erased(let scope, _): erasures.insert(scope)
    case .restored(let restoration):
      report.restorations.append(
        .init(sequence: header.sequence, time: header.time, restoration)
      )
    case .resumed, nil: break
    }
  }

  // MARK: Trees

  /// With the trees that were kept, and with checkpoints.
  private mutating func compare(_ hasher: inout TreeHasher) {
    while let kept = trees.first, kept.size <= tree.size {
      trees.removeFirst()
      guard kept.size == tree.size, kept != tree, !isShifted else { continue }
      report.add(
        .changed,
        tree.size - min(tree.size - 1, LedgerWriter.treeInterval),
        "events up to \(tree.size) are not those that the ledger itself has hashed"
      )
    }
    while let seen = verdicts.next(ofSize: tree.size) {
      verdicts.judge(seen, verifier, root: isShifted ? nil : tree.root(&hasher))
    }
  }

  private mutating func finish() throws(LedgerError) {
    verdicts.finish(verifier, last: tree.size, &report)
    report.verifierKey = verifier?.text ?? ""
    if verifier == nil, hasMaster, report.findings.isEmpty {
      report.add(.keys, 1, "no event names the key that signs checkpoints")
    }
    try tellErased()
  }

  private mutating func tellErased() throws(LedgerError) {
    // Of a plane that runs: who erased something meanwhile says so beyond what was looked at.
    if !destroyed.isEmpty { try addLaterErasures() }
    for (scope, bodies) in destroyed.sorted(by: { $0.key < $1.key }) {
      let name = (try? store.key(scope))?.name
      guard let name, erasures.contains(name) || !hasMaster else {
        report.add(
          .unaccounted,
          bodies.first,
          "\(bodies.count) bodies from event \(bodies.first) on cannot be read, and no event says who "
            + "erased them"
        )
        continue
      }
      report.erasedBodies += bodies.count
    }
  }

  private mutating func addLaterErasures() throws(LedgerError) {
    var next = last + 1
    while case let page = try store.read(from: next, limit: 1_000), let end = page.last?.sequence {
      for stored in page {
        guard let header = try? EventHeader(canonical: stored.header), header.kind == .bodiesErased,
          case .bytes(let body) = try reading.body(of: stored, header),
          case .erased(let scope, _)? = try? OwnBody(header.kind, body)
        else { continue }
        erasures.insert(scope)
      }
      next = end + 1
    }
  }
}
