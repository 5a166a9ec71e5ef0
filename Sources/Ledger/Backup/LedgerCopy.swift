internal import Crypto
package import Host

/// A copy of a ledger, in the layout of a state folder.
package struct LedgerCopy: Sendable {
  /// What lies beside the store and is needed with it, relative to the state folder: all secret. The
  /// last is there only while keys are exchanged.
  package static let secrets = [MasterKey.file, CheckpointKeys.file, CheckpointKeys.nextFile]

  package let origin: String
  /// The last event.
  package let last: UInt64
  /// When that was, in microseconds since 1970.
  package let lastTime: Int64
  /// Of the tree over all events, in hexadecimal: `VerifyReport.root` is the same, from each of them.
  package let root: String

  /// Copies the store of the ledger in `folder` as it is at one moment, while its plane runs or not.
  /// The copy is on disk when this returns, for the account alone. Blocks.
  ///
  /// - Throws: `failing`, `full`, `newer`, `damaged`.
  package static func copyStore(from folder: String, to copy: StateFolder) throws(LedgerError) {
    let source = "\(folder)/\(Ledger.storeFile)"
    try LedgerError.ofHost { () throws(HostError) in try copy.makeFolder("ledger") }
    let target = copy.path(of: Ledger.storeFile)
    let file = AppendFile(target)
    // Made here, since SQLite would let others read it.
    try LedgerError.ofHost { () throws(HostError) in try file.append([]) }
    let database = try LedgerError.of(source) { () throws(SQLiteError) in
      try Database(source, .readOnly)
    }
    guard try SQLiteSchema.check(database, source) > 0 else {
      throw LedgerError(.damaged, "\(source) is empty; no plane has written to it")
    }
    try LedgerError.of(target) { () throws(SQLiteError) in try database.copy(to: target) }
    try LedgerError.ofHost { () throws(HostError) in try file.append([]) }
  }

  /// Reads what the ledger in a folder is.
  ///
  /// - Throws: `damaged` when it has no beginning, or its key of keys is missing.
  package init(in folder: String) throws(LedgerError) {
    let store = try SQLiteStore(reading: "\(folder)/\(Ledger.storeFile)")
    let reading = LedgerReading(store, try MasterKey.find(in: folder))
    defer { reading.close() }
    origin = try LedgerBeginning.begun(reading).name
    last = try store.lastSequence()
    var hasher = TreeHasher()
    root = Hex.encode(try LedgerWriter.tree(of: store).root(&hasher).bytes)
    lastTime = try reading.events(from: last, limit: 1).first?.header.time ?? 0
  }

  /// Looks at every byte of the copy in `folder`, and holds it against `checkpointFile`.
  ///
  /// - Returns: what was found in the copy itself, and what checkpoints have seen beyond it.
  package static func examine(
    _ folder: String,
    checkpointFile: String
  ) throws(LedgerError) -> (report: VerifyReport, beyond: BeyondCopy?) {
    let copy = try LedgerCopy(in: folder)
    let read = try LedgerError.ofHost { () throws(HostError) in
      try CheckpointFile(path: checkpointFile).list()
    }
    let all = read ?? CheckpointList()
    let places = all.entries.indices.filter {
      all.origin($0) != copy.origin || all.entries[$0].size <= copy.last
    }
    let report = try LedgerVerifier.verify(folder, against: all.only(places))
    let key = NoteKey(text: report.verifierKey)
    // What stands before the copy's own last restoration is of a history that was given up with it.
    let since = report.restorations.last?.place.map { places[$0] } ?? 0
    let beyond = all.entries.indices.filter {
      $0 >= since && all.origin($0) == copy.origin && all.entries[$0].size > copy.last
    }
    let notes = beyond.compactMap { all.note($0) }
    return (report, BeyondCopy(notes, of: copy.origin, last: copy.last, key))
  }
}
