internal import Calls
internal import Crypto
internal import Host
package import Ledger

/// Makes a plane's state folder from a backup.
package struct Restore: Sendable {
  /// Where to, and what else is known.
  package struct Options: Sendable {
    /// Where the state folder becomes; absolute. Nothing is there, or an empty folder.
    package var state: String
    /// The checkpoints that were kept outside. Where there is no such file, it begins with the
    /// backup's copy of them.
    package var checkpointFile: String
    /// Why to go on without what these checkpoints have seen and the backup has not; nil: it is not
    /// gone on then.
    package var acceptingLoss: String?
    /// Seconds since 1970.
    package var now: Int64

    package init(state: String, checkpointFile: String, now: Int64) {
      self.state = state
      self.checkpointFile = checkpointFile
      self.now = now
    }
  }

  /// What came of it.
  package struct Report: Sendable, Equatable {
    package let manifest: BackupManifest
    /// What checkpoints outside have seen beyond the backup; nil: nothing.
    package let beyond: BeyondCopy?
    /// Only the backup's own copy of the checkpoints was there to hold it against.
    package let hasOnlyOwnCheckpoints: Bool
    /// The event that says that the ledger was restored.
    package let event: UInt64
  }

  private let backup: StateFolder
  private let manifest: BackupManifest
  private let options: Options

  /// - Throws: when there is no whole backup at `path`, which is absolute.
  package init(_ path: String, _ options: Options) throws {
    guard ThisProcess.isFolder(path) else {
      throw PlaneError(.notFound, "there is no folder \(path)")
    }
    backup = try StateFolder(path)
    manifest = try BackupManifest.read(backup)
    self.options = options
  }

  /// Makes the state folder, which is there as a whole when this returns, or not at all. Blocks.
  ///
  /// - Throws: `PlaneError`, `HostError`, `LedgerError`.
  package func run() async throws -> Report {
    guard try StateFolder.isVacant(options.state) else {
      throw PlaneError(
        .alreadyExists,
        "\(options.state) is there and not empty; a backup is restored into an empty or new folder "
          + "only: name another one with --state, or move this one away"
      )
    }
    let made = try StateFolder("\(Self.partial(options.state))\(ThisProcess.id)")
    do {
      let report = try await fill(made)
      try made.move(to: options.state)
      return report
    } catch {
      try? made.removeFolder("../" + (made.path.split(separator: "/").last ?? "none"))
      throw error
    }
  }

  private static func partial(_ state: String) -> String { "\(state).restoring." }

  /// A restore into the same place that was cut off when all but its last step was done: its event is
  /// what checkpoints outside have seen, and only the folder's name is not yet its own.
  private func almostDone(_ beyond: BeyondCopy) -> String? {
    StateFolder.paths(beginningWith: Self.partial(options.state)).first { path in
      (try? LedgerCopy(in: path))?.last == beyond.until
    }
  }

  private func fill(_ folder: StateFolder) async throws -> Report {
    try copyFiles(to: folder)
    try LedgerCopy.copyStore(from: backup.path(of: Backup.state), to: folder)
    let isKept = try AppendFile(options.checkpointFile).read(maxBytes: 1 << 30)?.isEmpty == false
    let outside = isKept ? options.checkpointFile : backup.path(of: Backup.checkpoints)
    let beyond = try examine(folder, outside)
    try moveWorkspaces(in: folder)
    if !isKept, let seen = try backup.read(Backup.checkpoints, maxBytes: 1 << 30) {
      try AppendFile(options.checkpointFile).append(seen)
    }
    return Report(
      manifest: manifest,
      beyond: beyond,
      hasOnlyOwnCheckpoints: !isKept,
      event: try await goOn(folder, beyond)
    )
  }

  /// The small files; each is compared with its digest.
  private func copyFiles(to folder: StateFolder) throws {
    for (name, digest) in manifest.files.sorted(by: { $0.key < $1.key }) {
      guard isPlain(name) else {
        throw PlaneError(
          .invalidArgument,
          "\(backup.path)/\(Backup.manifest) names '\(name)', which is no file of a backup: it was "
            + "changed; use another backup"
        )
      }
      guard let bytes = try backup.read(name, maxBytes: 1 << 30) else {
        throw PlaneError(
          .notFound,
          "\(backup.path(of: name)) is missing; use another backup"
        )
      }
      guard Hex.encode(SHA256.hash(bytes)) == digest else {
        throw PlaneError(
          .invalidArgument,
          "\(backup.path(of: name)) is not as it was made; use another backup"
        )
      }
      guard let inState = name.split(separator: "/", maxSplits: 1).last, inState != name else {
        continue
      }
      let parent = inState.split(separator: "/").dropLast().joined(separator: "/")
      if !parent.isEmpty { try folder.makeFolder(parent) }
      try folder.write(bytes, to: String(inState))
    }
  }

  /// Whether it is a path below the backup that leads nowhere else: without `..` or links.
  private func isPlain(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else { return false }
    guard !name.utf8.contains(0) else { return false }
    guard let real = RealPath.of(backup.path(of: name)) else { return true }
    return real == (RealPath.of(backup.path) ?? backup.path) + "/" + name
  }

  /// Looks at the whole ledger.
  ///
  /// - Returns: what `outside` has seen beyond it, if that is accepted.
  private func examine(_ folder: StateFolder, _ outside: String) throws -> BeyondCopy? {
    let (report, beyond) = try LedgerCopy.examine(folder.path, checkpointFile: outside)
    // No checkpoint may be of the very event that the copy ends with, so it has a root of its own.
    guard report.isClean, report.root == manifest.root else {
      let found =
        report.isClean
        ? ["\n  changed: its events are not those that were copied"]
        : report.findings.prefix(10).map { "\n  \($0.kind.rawValue): \($0.message)" }
      throw PlaneError(
        .failedPrecondition,
        "the backup's ledger, held against \(outside), is not whole; use another backup:"
          + found.joined()
      )
    }
    guard let beyond else { return nil }
    guard let reason = options.acceptingLoss, !reason.isEmpty else {
      if let path = almostDone(beyond) {
        throw PlaneError(
          .failedPrecondition,
          "a restore was cut off at its last step: \(path) is whole, as far as \(outside) has seen. Move it "
            + "to \(options.state), and start the plane; or remove it, and restore a newer backup"
        )
      }
      throw PlaneError(
        .failedPrecondition,
        "the backup ends with event \(manifest.lastEvent), and \(outside) has seen "
          + "\(beyond.until): \(beyond.until - min(beyond.until, manifest.lastEvent)) events are not in it, and what they "
          + "tell of would be forgotten\(Self.doubt(beyond)). Restore a newer backup; or, to go on "
          + "without them and have that on record for ever: --accept-loss WHY"
      )
    }
    return beyond
  }

  private static func doubt(_ beyond: BeyondCopy) -> String {
    guard beyond.unknown > 0 else { return "" }
    return " (\(beyond.unknown) of \(beyond.checkpoints) checkpoints that say so are signed by a "
      + "key that the backup does not know: it was exchanged since, or they are forged)"
  }

  /// Local workspaces: a root of the plane's own is in the new state folder, and empty; the daemon is
  /// started anew, and enrolls.
  private func moveWorkspaces(in folder: StateFolder) throws {
    let file = WorkspaceFile(folder: folder)
    var records = try file.read().all
    for index in records.indices {
      guard Identifier.isValid(records[index].id) else {
        throw PlaneError(
          .invalidArgument,
          "the backup's list of workspaces has '\(records[index].id)', which is no id: it was changed; use "
            + "another backup"
        )
      }
      guard let local = records[index].local else { continue }
      let place = "workspaces/\(records[index].id)"
      try folder.makeFolder("\(place)/daemon")
      if local.ownsRoot { try folder.makeFolder("\(place)/root") }
      records[index].local = WorkspaceRecord.Local(
        root: local.ownsRoot ? "\(options.state)/\(place)/root" : local.root,
        ownsRoot: local.ownsRoot
      )
    }
    try file.write(WorkspaceTable(records))
  }

  /// Opens the ledger once, for the event that says what happened, and its checkpoint.
  private func goOn(_ folder: StateFolder, _ beyond: BeyondCopy?) async throws -> UInt64 {
    let lock = try FolderLock(folder)
    var options = LedgerOptions(origin: manifest.origin) { Int64(ThisProcess.unixMicroseconds) }
    options.checkpointFile = self.options.checkpointFile
    options.holder = "restore"
    options.describe = { EventFacts.of($0) }
    options.restoration = Restoration(
      copied: manifest.made,
      beyond: beyond,
      reason: self.options.acceptingLoss ?? "",
      now: self.options.now
    )
    let ledger = try Ledger(in: folder, options)
    let last = ledger.lastSequence
    await ledger.close()
    _ = consume lock
    guard ledger.statistics.lastCheckpoint == last else {
      throw PlaneError(
        .internalError,
        "no checkpoint could be kept in \(self.options.checkpointFile), and without one nobody could "
          + "tell the restored ledger from a forged one; see to that file, and try again"
      )
    }
    return last
  }
}
