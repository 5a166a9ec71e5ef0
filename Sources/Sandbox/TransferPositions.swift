internal import CLinux
package import EventLoop
internal import Synchronization

/// How far a call's pipes were read and written, in a file that is memory: a daemon that is killed
/// leaves it exact, or says that it is not.
///
/// One thread writes it. A place is counted as `begin`, transfer, `commit`; killed between the two,
/// `inDoubt` is true for whoever opens the file next.
@safe package final class TransferPositions: @unchecked Sendable {
  // Why @unchecked: the mapping is only touched by atomics, and unmapped with the last reference.
  private let places: UnsafeMutablePointer<Atomic<UInt64>>

  package static let count = 7
  private static let bytes = 64

  /// Maps the file `name`, which is made if need be, all zero.
  package init(in folder: borrowing StateFolder, named name: String) throws(SystemError) {
    let number = unsafe gh_open_at(folder.number, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
    guard number >= 0 else { throw SystemError("make \(folder.path)/\(name)") }
    let file = Descriptor(owning: number)
    guard ftruncate(file.number, off_t(Self.bytes)) == 0,
      let memory = unsafe gh_map_shared(file.number, Self.bytes)
    else { throw SystemError("map \(folder.path)/\(name)") }
    unsafe places = memory.bindMemory(to: Atomic<UInt64>.self, capacity: Self.count + 1)
  }

  deinit { unsafe munmap(places, Self.bytes) }

  package subscript(place: Int) -> UInt64 {
    precondition((0..<Self.count).contains(place))
    return unsafe places[place].load(ordering: .acquiring)
  }

  /// A transfer was begun by a process that did not live to count it.
  package var inDoubt: Bool { unsafe places[Self.count].load(ordering: .acquiring) != 0 }

  package func begin() { unsafe places[Self.count].store(1, ordering: .sequentiallyConsistent) }

  package func commit(_ position: UInt64, at place: Int) {
    precondition((0..<Self.count).contains(place))
    unsafe places[place].store(position, ordering: .sequentiallyConsistent)
    unsafe places[Self.count].store(0, ordering: .sequentiallyConsistent)
  }
}
