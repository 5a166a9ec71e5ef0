internal import Sandbox

/// What is not the same in two snapshots, by what the kernel knows of the files.
struct SnapshotChanges {
  struct Change {
    let path: [UInt8]
    let before: FileStatus?
    let after: FileStatus?
    /// Its contents are not to be kept.
    let isIgnored: Bool
  }

  private(set) var changes: [Change] = []

  /// In byte order of the paths.
  static func between(_ old: Snapshot, _ new: Snapshot) -> [Change] {
    var result = SnapshotChanges()
    for (path, folder) in new.folders {
      if let before = old.folders[path] {
        result.compare(path, before, folder)
      } else if !old.isBeyond(path) {
        result.addAll(of: folder, at: path, areNew: true)
      }
    }
    for (path, folder) in old.folders where new.folders[path] == nil && !new.isBeyond(path) {
      result.addAll(of: folder, at: path, areNew: false)
    }
    return result.changes.sorted { $0.path.lexicographicallyPrecedes($1.path) }
  }

  private mutating func compare(
    _ path: [UInt8],
    _ old: Snapshot.FolderState,
    _ new: Snapshot.FolderState
  ) {
    guard old.listing != new.listing else { return }
    var before: [ArraySlice<UInt8>: FileStatus] = [:]
    for index in 0..<old.listing.count {
      before[old.listing.name(index)] = old.listing.statuses[index]
    }
    for index in 0..<new.listing.count {
      let name = new.listing.name(index)
      let status = new.listing.statuses[index]
      let earlier = before.removeValue(forKey: name)
      if let earlier, !Self.mayDiffer(earlier, status) { continue }
      add(path, name, earlier, status, new)
    }
    for (name, status) in before { add(path, name, status, nil, old) }
  }

  private mutating func addAll(
    of folder: Snapshot.FolderState,
    at path: [UInt8],
    areNew: Bool
  ) {
    for index in 0..<folder.listing.count {
      let status = folder.listing.statuses[index]
      add(path, folder.listing.name(index), areNew ? nil : status, areNew ? status : nil, folder)
    }
  }

  private mutating func add(
    _ folder: [UInt8],
    _ name: ArraySlice<UInt8>,
    _ before: FileStatus?,
    _ after: FileStatus?,
    _ state: Snapshot.FolderState
  ) {
    let path = PathBytes.join(folder, Array(name))
    let isIgnored = state.isIgnored || state.ignoring.ignores(path, Array(name), isFolder: false)
    changes.append(Change(path: path, before: before, after: after, isIgnored: isIgnored))
  }

  /// A folder's times and size change with what is in it, which is told by itself.
  private static func mayDiffer(_ old: FileStatus, _ new: FileStatus) -> Bool {
    guard old.kind == .folder, new.kind == .folder else { return old != new }
    return old.permissions != new.permissions
  }
}
