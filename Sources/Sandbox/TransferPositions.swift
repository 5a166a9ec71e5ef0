internal import CLinux
package import EventLoop
internal import Synchronization

/// How far a call's pipes were read and written, in a file that is memory: a daemon that is killed
/// leaves it exact, or says that it is not.
///
/// One thread writes it. Output that `OutputFile` moves is counted by the kernel, in the system call that
/// moves it. What a process has to count itself is `begin`, transfer, `commit`; killed between the two,
/// `inDoubt` is true for whoever opens the file next.
@safe package final class TransferPositions: @unchecked Sendable {
  // Why @unchecked: the mapping is only touched by atomics and the kernel, and unmapped with the last
  // reference.
  private let words: UnsafeMutablePointer<Atomic<UInt64>>
  /// Found in doubt, it stays so: no count makes up for the one that is missing.
  private let wasInDoubt: Bool

  /// What is known of each stream; rows of the file, with a column a stream.
  package enum Row: Int {
    /// The first byte that was not taken yet.
    case end = 0
    /// The first byte that is still kept.
    case start = 1
    /// The byte that lies at the file's beginning.
    case base = 2
    /// Where in its file the kernel writes; beyond the place of `end`, it was killed before `end` was set.
    case mark = 3
    /// Bytes behind `end` that nobody will get.
    case lost = 4
    /// Bytes behind `end` that the supervisor had read, and that are kept as well.
    case rest = 5
    /// 1: its end was said, which at a terminal is a byte like others.
    case closed = 6
  }

  package static let streams = 8
  private static let doubt = 63
  private static let process = 62
  private static let bytes = 512

  /// Maps the file `name`, which is made if need be, all zero.
  package init(in folder: borrowing StateFolder, named name: String) throws(SystemError) {
    let number = unsafe gh_open_at(folder.number, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
    guard number >= 0 else { throw SystemError("make \(folder.path)/\(name)") }
    let file = Descriptor(owning: number)
    // Written, not made long: to touch memory that the disk has no room for would end the process.
    var status = stat()
    if unsafe fstat(number, &status) == 0, status.st_size != off_t(Self.bytes) {
      try file.writeAll([UInt8](repeating: 0, count: Self.bytes))
    }
    guard let memory = unsafe gh_map_shared(file.number, Self.bytes) else {
      throw SystemError("map \(folder.path)/\(name)")
    }
    let words = unsafe memory.bindMemory(to: Atomic<UInt64>.self, capacity: Self.bytes / 8)
    wasInDoubt = unsafe words[Self.doubt].load(ordering: .acquiring) != 0
    unsafe self.words = words
  }

  deinit { unsafe munmap(words, Self.bytes) }

  package subscript(row: Row, stream: Int) -> UInt64 {
    get { unsafe words[index(row, stream)].load(ordering: .acquiring) }
    set { unsafe words[index(row, stream)].store(newValue, ordering: .sequentiallyConsistent) }
  }

  private func index(_ row: Row, _ stream: Int) -> Int {
    precondition((0..<Self.streams).contains(stream))
    return row.rawValue * Self.streams + stream
  }

  /// The supervisor's process id: of a daemon that becomes its successor, it stays a child.
  package var supervisor: Int32 {
    get { unsafe Int32(truncatingIfNeeded: words[Self.process].load(ordering: .acquiring)) }
    set { unsafe words[Self.process].store(UInt64(newValue), ordering: .sequentiallyConsistent) }
  }

  /// A transfer was begun by a process that did not live to count it.
  package var inDoubt: Bool { unsafe words[Self.doubt].load(ordering: .acquiring) != 0 }

  package func begin() { unsafe words[Self.doubt].store(1, ordering: .sequentiallyConsistent) }

  package func commit(_ value: UInt64, to row: Row, _ stream: Int) {
    self[row, stream] = value
    guard !wasInDoubt else { return }
    unsafe words[Self.doubt].store(0, ordering: .sequentiallyConsistent)
  }

  /// Moves up to `count` bytes from a pipe into a file, at the stream's mark, which goes on with them: all
  /// in one system call.
  ///
  /// - Returns: bytes; 0 when there are none, below that an `errno`, negated.
  func move(_ stream: Int, from pipe: Int32, to file: Int32, count: Int) -> Int {
    let mark = unsafe UnsafeMutableRawPointer(words + index(.mark, stream))
    let moved = unsafe gh_splice_to_file(
      pipe,
      file,
      mark.assumingMemoryBound(to: Int64.self),
      count
    )
    return moved >= 0 ? moved : -Int(gh_errno())
  }
}
