internal import Sandbox

/// The workspace's root as one walk found it: what the kernel knows of each file, without reading any.
struct Snapshot: Sendable {
  struct FolderState: Sendable {
    let listing: FolderListing
    /// For what is in it.
    let ignoring: IgnoreChain
    /// The folder is left out by a `.gitignore`, or git's own: contents in it are not kept.
    let isIgnored: Bool
  }

  /// By path from the root; the root itself is the empty path.
  private(set) var folders: [[UInt8]: FolderState] = [:]
  /// Folders that are there and were not looked into.
  private(set) var unreached: Set<[UInt8]> = []
  private(set) var entries = 0
  /// Why it is not all, for people.
  private(set) var incomplete: [String] = []
  /// The latest change that it saw of a file or folder, in nanoseconds since 1970.
  private(set) var latestChange: Int64 = .min

  static let maxReasons = 8

  mutating func add(_ folder: FolderState, at path: [UInt8]) {
    folders[path] = folder
    entries += folder.listing.count
    for status in folder.listing.statuses {
      latestChange = max(latestChange, status.changedNanoseconds)
    }
  }

  /// Without a reason where that was, or will be, given for all.
  mutating func skip(_ path: [UInt8], _ reason: String?) {
    unreached.insert(path)
    if let reason, incomplete.count < Self.maxReasons { incomplete.append(reason) }
  }

  mutating func gaveUp(_ reason: String) { incomplete.append(reason) }

  /// Whether this walk did not come to `path`, so that it cannot say what was in it.
  func isBeyond(_ path: [UInt8]) -> Bool {
    guard !unreached.isEmpty else { return false }
    var path = path
    while true {
      if unreached.contains(path) { return true }
      if path.isEmpty { return false }
      path = PathBytes.split(path).folder
    }
  }
}

/// A snapshot with several holders.
final class SharedSnapshot: Sendable {
  let snapshot: Snapshot

  init(_ snapshot: Snapshot) { self.snapshot = snapshot }
}
