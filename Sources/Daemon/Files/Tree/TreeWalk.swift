internal import DaemonWire
internal import EventLoop
internal import Sandbox

/// Goes through what is below a folder in byte order of the paths. Symbolic links are not followed.
struct TreeWalk {
  struct Entry {
    /// From the workspace's root.
    let path: [UInt8]
    let status: FileStatus
  }

  struct Options {
    var isRecursive = true
    var includeHidden = false
    var includeIgnored = false
  }

  /// Where to go on.
  struct Position: Equatable {
    let path: [UInt8]
    /// Whether the entry at `path` itself comes again.
    let isIncluded: Bool
  }

  /// A folder's content sorts as its path with a '/', which may be after its neighbours: `a`, `a.c`,
  /// `a/b`.
  private enum Step {
    case entry(Entry)
    case content(of: [UInt8], ignoring: IgnoreChain)

    var key: [UInt8] {
      switch self {
      case .entry(let entry): entry.path
      case .content(let path, _): path + [.slash]
      }
    }
  }

  private let root: FileTools.Workspace
  private let options: Options
  private let position: Position?
  private let cancellation: Cancellation
  /// Last step first.
  private var steps: [Step] = []

  /// - Throws: when `folder` is none, or cannot be read.
  init(
    _ folder: [UInt8],
    in workspace: FileTools.Workspace,
    _ options: Options,
    from position: Position?,
    _ cancellation: Cancellation
  ) throws(ToolError) {
    root = workspace
    self.cancellation = cancellation
    self.options = options
    self.position = position
    var ignoring = IgnoreChain()
    if !options.includeIgnored {
      for parent in Self.parents(of: folder) { ignoring = adding(parent, to: ignoring) }
    }
    steps = try content(of: folder, ignoring)
  }

  /// The next entry; `nil` at the end. Folders that cannot be read are passed over.
  mutating func next() -> Entry? {
    while let step = steps.popLast() {
      switch step {
      case .entry(let entry):
        if isAhead(entry.path) { return entry }
      case .content(let folder, let ignoring):
        // Removed meanwhile, or closed to us: nothing of it can be shown.
        if isAhead(contentOf: folder), let below = try? content(of: folder, ignoring) {
          steps += below
        }
      }
    }
    return nil
  }

  private func isAhead(_ path: [UInt8]) -> Bool {
    guard let position else { return true }
    if path == position.path { return position.isIncluded }
    return position.path.lexicographicallyPrecedes(path)
  }

  /// Whether anything below a folder may be ahead.
  private func isAhead(contentOf folder: [UInt8]) -> Bool {
    guard let position else { return true }
    let start = folder + [.slash]
    return position.path.starts(with: start) || position.path.lexicographicallyPrecedes(start)
  }

  private func content(of folder: [UInt8], _ ignoring: IgnoreChain) throws(ToolError) -> [Step] {
    let names = try ToolError.translating(folder) { () throws(SystemError) in
      try root.root.names(in: folder)
    }
    let ignoring = options.includeIgnored ? ignoring : adding(folder, to: ignoring)
    var steps: [Step] = []
    for name in names where options.includeHidden || name.first != .dot {
      // Many names by many rules take hours.
      try cancellation.check()
      let path = PathBytes.join(folder, name)
      // A name may be gone meanwhile.
      guard let status = try? root.root.status(of: path) else { continue }
      let isFolder = status.kind == .folder
      if !options.includeIgnored, ignoring.ignores(path, name, isFolder: isFolder) { continue }
      steps.append(.entry(Entry(path: path, status: status)))
      if isFolder, options.isRecursive { steps.append(.content(of: path, ignoring: ignoring)) }
    }
    return steps.sorted { $1.key.lexicographicallyPrecedes($0.key) }
  }

  private func adding(_ folder: [UInt8], to chain: IgnoreChain) -> IgnoreChain {
    chain.adding(IgnoreFile(in: folder, of: root.root), of: folder)
  }

  /// The folders above a path, from the root on; none for one that goes up in between.
  private static func parents(of path: [UInt8]) -> [[UInt8]] {
    let names = path.split(separator: .slash)
    guard !names.contains([.dot, .dot]) else { return [] }
    return names.indices.map { Array(names[..<$0].joined(separator: [.slash])) }
  }
}

extension PathBytes {
  /// Without `.` and empty names, as results begin with it. A '/' in first place stays.
  static func tidy(_ path: [UInt8]) -> [UInt8] {
    let names = path.split(separator: .slash).filter { $0 != [.dot] }
    return (path.first == .slash ? [.slash] : []) + names.joined(separator: [.slash])
  }
}
