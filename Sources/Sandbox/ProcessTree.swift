internal import CLinux
internal import EventLoop

/// The processes below this one, by ancestry.
package struct ProcessTree: Equatable, Sendable {
  /// Parents by process.
  private var parents: [Int32: Int32] = [:]

  init(parents: [Int32: Int32]) { self.parents = parents }

  /// What runs now. Racy by nature: ask again until nothing is left.
  package static func now() -> ProcessTree {
    var parents: [Int32: Int32] = [:]
    for name in FileTree.names(in: "/proc") {
      guard let process = Int32(name), let stat = readStat(process),
        let parent = parent(inStat: stat)
      else { continue }
      parents[process] = parent
    }
    return ProcessTree(parents: parents)
  }

  /// All below `root`, itself not included.
  package func descendants(of root: Int32) -> [Int32] {
    var children: [Int32: [Int32]] = [:]
    for (process, parent) in parents { children[parent, default: []].append(process) }
    var found: [Int32] = []
    var next = children[root] ?? []
    while let process = next.popLast() {
      found.append(process)
      next += children[process] ?? []
    }
    return found.sorted()
  }

  /// The parent in a line of `/proc/PID/stat`. The command's name in it may hold anything, so
  /// fields count from its last ')' (proc(5)).
  static func parent(inStat line: [UInt8]) -> Int32? {
    guard let end = line.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = line[(end + 1)...].split(separator: UInt8(ascii: " "), maxSplits: 2)
    guard fields.count > 1 else { return nil }
    return Int32(String(decoding: fields[1], as: UTF8.self))
  }

  private static func readStat(_ process: Int32) -> [UInt8]? {
    guard let file = try? Descriptor.open("/proc/\(process)/stat", O_RDONLY) else { return nil }
    return try? file.readAll(maxBytes: 4_096)
  }
}

/// Signals to processes. A process that is gone is not an error.
package enum Signals {
  package static let hangUp = SIGHUP
  package static let interrupt = SIGINT
  package static let kill = SIGKILL
  package static let terminate = SIGTERM
  package static let resume = SIGCONT

  package static func send(_ signal: Int32, to process: Int32) { _ = CLinux.kill(process, signal) }

  /// To a group, if one of it is below `root`: the number of a group that is gone may be a stranger's.
  package static func send(_ signal: Int32, toGroup group: Int32, below root: Int32) {
    precondition(group > 1, "-1 would mean everyone, 0 ourselves")
    guard ProcessTree.now().descendants(of: root).contains(where: { getpgid($0) == group }) else {
      return
    }
    _ = CLinux.kill(-group, signal)
  }
}
