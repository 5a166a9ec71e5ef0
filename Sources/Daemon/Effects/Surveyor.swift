internal import DaemonWire
internal import EventLoop
internal import Sandbox

/// The one who looks at the root: what was seen last, and the contents of small files. Blocks.
struct Surveyor: ~Copyable {
  private let root: SharedRoot
  private let limits: Survey.Limits
  private var store: TextStore
  private var latest: SharedSnapshot?
  /// Folders of the latest snapshot with files that were not read yet, those nearest to the root last.
  private var unread: [[UInt8]] = []
  /// How many of the last one's files have been gone through.
  private var passed = 0

  init(_ root: SharedRoot, _ state: SharedFolder, _ limits: Survey.Limits) {
    self.root = root
    self.limits = limits
    store = TextStore(in: state.folder, maxBytes: limits.maxTexts)
  }

  mutating func look() -> SharedSnapshot {
    let snapshot = SnapshotWalk.run(root, limits.walk, after: latest?.snapshot)
    // From here on whatever changes gets a later time than what was seen.
    FileClock.wait(beyond: snapshot.latestChange)
    let shared = SharedSnapshot(snapshot)
    setUnread(in: snapshot, before: latest?.snapshot, Set(unread))
    latest = shared
    return shared
  }

  /// Folders that are as they were need not be gone through again.
  private mutating func setUnread(
    in snapshot: Snapshot,
    before: Snapshot?,
    _ left: Set<[UInt8]>
  ) {
    (unread, passed) = ([], 0)
    for (path, folder) in snapshot.folders where !folder.isIgnored {
      if left.contains(path) || before?.folders[path]?.listing != folder.listing {
        unread.append(path)
      }
    }
    unread.sort { $0.count > $1.count }
  }

  /// While no command runs that contents are kept for: makes room, if there is need of it.
  mutating func clean() {
    guard let snapshot = latest?.snapshot, store.clean() else { return }
    setUnread(in: snapshot, before: nil, [])
  }

  /// Reads what a command that is about to begin may change, as far as it is worth its time.
  mutating func readBefore() {
    var room = limits.readBefore
    while room > 0, readFolder(&room) {}
  }

  /// - Returns: whether there may be more to read.
  mutating func readSome() -> Bool {
    if latest == nil { _ = look() }
    var room = 64
    while room > 0 {
      guard readFolder(&room) else { return false }
    }
    return true
  }

  /// Reads what was not read in the next folder; `room` is for how many files.
  private mutating func readFolder(_ room: inout Int) -> Bool {
    guard let path = unread.last, let folder = latest?.snapshot.folders[path] else {
      store.complete()
      return false
    }
    var look = FileLook(budget: 0, end: .now + limits.readTime)
    for index in passed..<folder.listing.count {
      passed = index
      let status = folder.listing.statuses[index]
      guard status.kind == .regular || status.kind == .link, status.bytes <= TextStore.maxText,
        store.content(of: status) == nil
      else { continue }
      guard room > 0 else { return true }
      room -= 1
      let name = Array(folder.listing.name(index))
      let file = PathBytes.join(path, name)
      let isIgnored = folder.ignoring.ignores(file, name, isFolder: false)
      look.read(file, status, isIgnored: isIgnored, root.root, &store)
    }
    unread.removeLast()
    passed = 0
    return true
  }

  /// What is not as it was, but for what tools changed meanwhile.
  mutating func effects(
    from old: Snapshot,
    to new: Snapshot,
    _ toolChanges: [ToolChange],
    _ others: Int
  ) -> Effects {
    var report = EffectsReport(.scan)
    for reason in old.incomplete + new.incomplete { report.note(incomplete: reason) }
    let byPath = Dictionary(grouping: toolChanges, by: \.path)
    let changes = SnapshotChanges.between(old, new)
    var look = FileLook(budget: limits.maxDigested, end: .now + limits.readTime)
    // What .gitignore leaves out comes last, where not all have room.
    for isIgnored in [false, true] {
      for change in changes where change.isIgnored == isIgnored {
        guard !report.isFull else {
          report.passOver(1)
          continue
        }
        add(change, byPath[change.path] ?? [], &look, to: &report)
      }
    }
    if look.isLate {
      report.note(incomplete: "not all files that changed could be read in time")
    }
    return report.finished(sharedWith: others)
  }

  private mutating func add(
    _ change: SnapshotChanges.Change,
    _ toolChanges: [ToolChange],
    _ look: inout FileLook,
    to report: inout EffectsReport
  ) {
    var before = change.before
    var known: FileState?
    // Where a tool went on from how the command found the file, the command did from there.
    for tool in toolChanges where tool.before == before {
      (before, known) = (tool.after, tool.state)
    }
    guard before != change.after else { return }
    let old = before.map { status in
      known
        ?? look.state(
          of: change.path,
          status,
          isCurrent: false,
          isIgnored: change.isIgnored,
          root.root,
          &store
        )
    }
    let new = change.after.map { status in
      look.state(
        of: change.path,
        status,
        isCurrent: true,
        isIgnored: change.isIgnored,
        root.root,
        &store
      )
    }
    report.add(change.path, from: old, to: new, isSame: isSame(before, change.after))
  }

  /// The same file with the same size, last written at the same time.
  private func isSame(_ before: FileStatus?, _ after: FileStatus?) -> Bool {
    guard let before, let after else { return false }
    return before.inode == after.inode && before.bytes == after.bytes
      && before.modifiedNanoseconds == after.modifiedNanoseconds
  }
}
