internal import EventLoop
internal import Sandbox

/// Looks at each file below the root once, up to its limits.
///
/// Folders nearer to the root come first, and what `.gitignore` files leave out, with git's own folder,
/// behind all others: where it gives up, the sources were seen.
struct SnapshotWalk {
  struct Limits: Sendable {
    /// Names that are looked at. Each costs a call of the kernel, and some hundred bytes.
    var maxEntries = 50_000
    /// Two walks of each command are on somebody's time.
    var time: Duration = .milliseconds(250)
    /// Names that are looked at whatever time that takes: a busy machine is no reason to see nothing.
    var leastEntries = 1_000
    /// Behind this nothing further is looked into, however little was seen: rules of `.gitignore` files
    /// that a command made may take any time.
    var longest: Duration = .seconds(1)
  }

  private let root: SharedRoot
  private let limits: Limits
  private let previous: Snapshot?
  private var snapshot = Snapshot()
  private let device: UInt64?
  private var folders = FolderQueue()
  private let began = ContinuousClock.now

  private struct Step {
    let path: [UInt8]
    let ignoring: IgnoreChain
    let isIgnored: Bool
  }

  /// First in, first out; what is ignored last.
  private struct FolderQueue {
    private var first: [Step] = []
    private var last: [Step] = []
    private var taken = 0

    mutating func add(_ step: Step) {
      if step.isIgnored { last.append(step) } else { first.append(step) }
    }

    mutating func next() -> Step? {
      defer { taken += 1 }
      if taken == first.count, !last.isEmpty { (first, last, taken) = (last, [], 0) }
      return taken < first.count ? first[taken] : nil
    }

    var rest: [[UInt8]] { first.dropFirst(taken).map(\.path) + last.map(\.path) }
  }

  private init(_ root: SharedRoot, _ limits: Limits, _ previous: Snapshot?) {
    self.root = root
    self.limits = limits
    self.previous = previous
    device = try? root.root.status(of: []).device
  }

  /// Blocks. `previous` shares its memory where nothing has changed.
  static func run(_ root: SharedRoot, _ limits: Limits, after previous: Snapshot?) -> Snapshot {
    var walk = SnapshotWalk(root, limits, previous)
    walk.walk()
    return walk.snapshot
  }

  private mutating func walk() {
    let end = began + limits.time
    folders.add(Step(path: [], ignoring: IgnoreChain(), isIgnored: false))
    while let step = folders.next() {
      look(at: step)
      guard let reason = reasonToStop(end) else { continue }
      let rest = folders.rest
      guard !rest.isEmpty else { continue }
      for path in rest { snapshot.skip(path, nil) }
      return snapshot.gaveUp(reason)
    }
  }

  private func reasonToStop(_ end: ContinuousClock.Instant) -> String? {
    if snapshot.entries >= limits.maxEntries {
      return "the workspace has more than \(limits.maxEntries) files, and no more are looked at"
    }
    let now = ContinuousClock.now
    guard now >= end, snapshot.entries >= limits.leastEntries || now >= began + limits.longest
    else { return nil }
    return "after \(limits.time) only \(snapshot.entries) files had been looked at"
  }

  private mutating func look(at step: Step) {
    let room = limits.maxEntries - snapshot.entries
    let found: FolderListing
    do throws(SystemError) {
      found = try root.root.listing(of: step.path, atMost: room)
    } catch {
      return snapshot.skip(step.path, "\(Self.name(step.path)) cannot be looked into: \(error)")
    }
    guard found.isWhole else {
      let name = Self.name(step.path)
      return snapshot.skip(
        step.path,
        "\(name) holds more files than are looked at, \(limits.maxEntries) in all"
      )
    }
    let before = previous?.folders[step.path]
    let isSame = before?.listing == found
    let folder = Snapshot.FolderState(
      listing: isSame ? before?.listing ?? found : found,
      ignoring: step.ignoring.adding(IgnoreFile(in: step.path, of: root.root), of: step.path),
      isIgnored: step.isIgnored
    )
    snapshot.add(folder, at: step.path)
    addFolders(of: folder, at: step.path)
  }

  private mutating func addFolders(of folder: Snapshot.FolderState, at path: [UInt8]) {
    for (index, status) in folder.listing.statuses.enumerated() where status.kind == .folder {
      let name = Array(folder.listing.name(index))
      let below = PathBytes.join(path, name)
      guard status.device == device else {
        snapshot.skip(below, "\(Self.name(below)) is on another file system, and not looked into")
        continue
      }
      guard ContinuousClock.now < began + limits.longest else {
        snapshot.skip(below, "after \(limits.longest) no further folder is looked into")
        continue
      }
      let isIgnored =
        folder.isIgnored || folder.ignoring.ignores(below, name, isFolder: true)
      folders.add(Step(path: below, ignoring: folder.ignoring, isIgnored: isIgnored))
    }
  }

  private static func name(_ path: [UInt8]) -> String {
    path.isEmpty ? "the root" : PathText.brief(path)
  }
}
