internal import CLinux
package import EventLoop

/// What is directly in a folder, as one look found it: names and what the kernel knows of each.
///
/// All names are in one array, since there may be tens of thousands.
package struct FolderListing: Equatable, Sendable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  package private(set) var statuses: [FileStatus] = []
  /// False: there are more names than were asked for.
  package private(set) var isWhole = true

  package var count: Int { statuses.count }

  package func name(_ index: Int) -> ArraySlice<UInt8> {
    bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
  }

  /// Of an open folder, in the kernel's order. What is gone before it was looked at is left out.
  init(of folder: Int32, atMost limit: Int) throws(SystemError) {
    let copy = unsafe gh_open_at(folder, ".", O_RDONLY | O_DIRECTORY, 0)
    guard copy >= 0 else { throw SystemError("list a folder") }
    guard let stream = unsafe fdopendir(copy) else {
      // The reason first: closing has one of its own.
      let error = SystemError("list a folder")
      close(copy)
      throw error
    }
    defer { unsafe closedir(stream) }
    while let entry = unsafe readdir(stream) {
      unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { name in
          unsafe add(name, in: folder, atMost: limit)
        }
      }
      guard isWhole else { return }
    }
  }

  private mutating func add(_ name: UnsafePointer<CChar>, in folder: Int32, atMost limit: Int) {
    let count = unsafe strlen(name)
    let isDot = unsafe name[0] == CChar(UInt8.dot)
    if isDot, unsafe count == 1 || count == 2 && name[1] == CChar(UInt8.dot) { return }
    guard statuses.count < limit else {
      isWhole = false
      return
    }
    var status = stat()
    guard unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return }
    statuses.append(FileStatus(status))
    unsafe bytes.append(
      contentsOf: UnsafeRawBufferPointer(start: UnsafeRawPointer(name), count: count)
    )
    ends.append(bytes.count)
  }
}

extension Root {
  /// What is directly in a folder; of more than `limit` names only so many. A symbolic link is no folder.
  package func listing(of path: [UInt8], atMost limit: Int) throws(SystemError) -> FolderListing {
    let folder = try beneath(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    return try FolderListing(of: folder.number, atMost: limit)
  }
}
