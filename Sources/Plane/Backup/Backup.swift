internal import Crypto
internal import Host
internal import Ledger

/// A copy of what a plane needs to come back, in a folder of its own:
///
///     backup.json      what it is, and a digest of each small file
///     checkpoints      those that were kept outside by then
///     settings.yaml    the settings file, if one was named
///     state/           as in a state folder: the ledger, keys and certificates, the list of workspaces
///
/// It holds every secret of the plane's but those that come from elsewhere (model keys in the
/// environment or in files of their own). What is not in it is made anew, or was to be had for a while
/// only: the index of the ledger, the spools of chats, the output of calls. Workspaces' files are not the plane's to keep; a local daemon enrolls again.
package struct Backup: Sendable {
  static let manifest = "backup.json"
  static let checkpoints = "checkpoints"
  static let settings = "settings.yaml"
  static let state = "state"

  /// The plane's state folder.
  private let source: StateFolder
  private let checkpointFile: String
  private let settingsFile: String?

  /// Of the plane of a state folder, which may run.
  ///
  /// - Throws: when there is no plane's state.
  package init(of state: String, checkpointFile: String, settingsFile: String?) throws(PlaneError) {
    // `StateFolder` would make it.
    guard ThisProcess.isFolder(state) else {
      throw PlaneError(.notFound, "there is no folder \(state); name the plane's with --state")
    }
    source = try Self.host { () throws(HostError) in try StateFolder(state) }
    guard source.exists("ledger/events.db"), source.exists("pki") else {
      throw PlaneError(.notFound, "\(state) is no plane's state folder; name it with --state")
    }
    self.checkpointFile = checkpointFile
    self.settingsFile = settingsFile
  }

  /// Makes the copy at `target`, where nothing is or an empty folder. It is there as a whole, and on
  /// disk, when this returns. Blocks.
  ///
  /// - Parameters:
  ///   - target: absolute.
  ///   - now: seconds since 1970.
  ///   - program: the version that makes it.
  /// - Returns: what it is.
  /// - Throws: `PlaneError`, `HostError`, `LedgerError`.
  package func make(at target: String, now: Int64, program: String) throws -> BackupManifest {
    guard try StateFolder.isVacant(target) else {
      throw PlaneError(
        .alreadyExists,
        "\(target) is there and not empty; a backup overwrites nothing: name another folder"
      )
    }
    guard try !source.encloses(target) else {
      throw PlaneError(
        .invalidArgument,
        "\(target) lies in the plane's state folder, so the next backup would take this one, with its "
          + "keys, for state; name a folder elsewhere"
      )
    }
    let partial = try StateFolder("\(Self.partial(target))\(ThisProcess.id)")
    do {
      let manifest = try fill(partial, now: now, program: program)
      try partial.move(to: target)
      return manifest
    } catch {
      try? partial.removeFolder("../" + (partial.path.split(separator: "/").last ?? "none"))
      throw error
    }
  }

  /// What is there of backups at `target` that are being made, or were cut off: folders with keys in
  /// them.
  package static func leftovers(of target: String) -> [String] {
    StateFolder.paths(beginningWith: partial(target))
  }

  /// Removes what this process has made of one at `target`, as far as nobody goes on with it.
  package static func giveUp(_ target: String) {
    let path = "\(partial(target))\(ThisProcess.id)"
    guard ThisProcess.isFolder(path), let folder = try? StateFolder(path) else { return }
    try? folder.removeFolder("../" + (path.split(separator: "/").last ?? "none"))
  }

  private static func partial(_ target: String) -> String { "\(target).partial." }

  private func fill(
    _ folder: StateFolder,
    now: Int64,
    program: String
  ) throws -> BackupManifest {
    // First, so that they have seen nothing that the ledger's copy has not.
    let seen = try AppendFile(checkpointFile).read(maxBytes: Self.maxCheckpointBytes) ?? []
    var files: [String: [UInt8]] = [Self.checkpoints: seen]
    if let settingsFile { files[Self.settings] = try SmallFile(settingsFile).bytes }
    for (name, bytes) in try copyState(to: folder) { files["\(Self.state)/\(name)"] = bytes }
    let copy = try LedgerCopy(in: folder.path(of: Self.state))
    for name in [Self.checkpoints, Self.settings] {
      if let bytes = files[name] { try folder.write(bytes, to: name) }
    }
    let manifest = BackupManifest(
      version: BackupManifest.newest,
      program: program,
      made: now,
      stateFolder: source.path,
      checkpointFile: checkpointFile,
      origin: copy.origin,
      lastEvent: copy.last,
      lastEventTime: copy.lastTime,
      root: copy.root,
      files: files.mapValues { Hex.encode(SHA256.hash($0)) }
    )
    try folder.write(try manifest.json, to: Self.manifest)
    return manifest
  }

  /// Copies the ledger and the small files of the state folder.
  ///
  /// The small ones are read first: whatever the plane does is in the ledger before it is done, so the
  /// ledger's copy knows at least as much. Keys belong to the ledger of the same moment, so they are
  /// read again behind it, and all of it is done anew when one was exchanged meanwhile.
  private func copyState(to folder: StateFolder) throws -> [String: [UInt8]] {
    for _ in 0..<5 {
      let files = try read()
      let state = try StateFolder(folder.path(of: Self.state))
      for name in files.keys {
        let parent = name.split(separator: "/").dropLast().joined(separator: "/")
        if !parent.isEmpty { try state.makeFolder(parent) }
      }
      try LedgerCopy.copyStore(from: source.path, to: state)
      for (name, bytes) in files { try state.write(bytes, to: name) }
      if try read(Self.isKey) == files.filter({ Self.isKey($0.key) }) { return files }
      try folder.removeFolder(Self.state)
    }
    throw PlaneError(.aborted, "the plane's keys were exchanged again and again; try again")
  }

  private func read(
    _ isWanted: (String) -> Bool = { _ in true }
  ) throws(HostError) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in try source.files(leavingOut: Self.isLeftOut) where isWanted(name) {
      // One that is gone now was removed by the plane.
      if let bytes = try source.read(name) { files[name] = bytes }
    }
    return files
  }

  /// What is made anew, or belongs to one run of the plane.
  static func isLeftOut(_ name: String) -> Bool {
    if name.hasPrefix("ledger/") { return !LedgerCopy.secrets.contains(name) }
    let run = ["lock", "chats", "spool", "workspaces", "client/plane"]
    return run.contains(name) || name.hasSuffix(".new")
  }

  private static func isKey(_ name: String) -> Bool {
    ["ledger/", "pki/", "client/"].contains { name.hasPrefix($0) }
  }

  static let maxCheckpointBytes = 1 << 30

  static func host<Value>(_ body: () throws(HostError) -> Value) throws(PlaneError) -> Value {
    do {
      return try body()
    } catch {
      throw PlaneError(.internalError, error.description)
    }
  }
}
