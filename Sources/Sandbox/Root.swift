internal import CLinux
package import EventLoop

/// A folder that no path leaves: every lookup is the kernel's, `openat2(RESOLVE_BENEATH)` on a held
/// descriptor. No path is checked as a string.
///
/// Paths are bytes relative to the folder; an empty one is the folder itself. An absolute path, a
/// `..` or a symbolic link that leads out fails with EXDEV; a NUL in a path with EINVAL. What is
/// hidden in it is found by where the kernel arrived, too, whatever path led there; its errors say
/// `SystemError.isHidden`.
package struct Root: ~Copyable, Sendable {
  private let folder: Descriptor
  private let hidden: HiddenPaths

  /// Holds the folder at `path`, by the daemon's own view of the file system, without the `hidden`
  /// paths and what is below them. What the folder itself lies in hides nothing of it.
  package init(_ path: String, hidden: [String] = []) throws(SystemError) {
    let number = unsafe gh_open_root(path)
    guard number >= 0 else { throw SystemError("open \(path)") }
    folder = Descriptor(owning: number)
    self.hidden = HiddenPaths(hidden, below: path)
  }

  /// Opens a file for reading. Does not wait for the writer of a pipe.
  package func open(_ path: [UInt8]) throws(SystemError) -> OpenFile {
    OpenFile(owning: try beneath(path, O_RDONLY | O_NONBLOCK | O_NOCTTY))
  }

  /// The names in a folder, in byte order.
  package func names(in path: [UInt8]) throws(SystemError) -> [[UInt8]] {
    try Folder(owning: try beneath(path, O_RDONLY | O_DIRECTORY)).names()
  }

  /// What is at `path`; a final symbolic link is not followed.
  package func status(of path: [UInt8]) throws(SystemError) -> FileStatus {
    let held = try beneath(path, O_NOFOLLOW, isPlace: true)
    return try FileStatus(of: held.number)
  }

  /// Where the symbolic link at `path` leads, as it is written.
  package func target(ofLink path: [UInt8]) throws(SystemError) -> [UInt8] {
    let held = try beneath(path, O_NOFOLLOW, isPlace: true)
    return try readLink(held.number, [])
  }

  /// The place where a file is, or would be: its folder, held, and its name in it. A final symbolic
  /// link is followed, so that what is written is what a reader of `path` finds.
  package func place(of path: [UInt8]) throws(SystemError) -> Place {
    var path = path
    guard !path.contains(0) else { throw SystemError("place a file", code: EINVAL) }
    // As many links as the kernel follows in one path.
    for _ in 0..<40 {
      let (parent, name) = PathBytes.split(path)
      guard !name.isEmpty, name != [.dot], name != [.dot, .dot] else {
        throw SystemError("place a file", code: EISDIR)
      }
      let folder = Folder(owning: try beneath(parent, O_RDONLY | O_DIRECTORY))
      try hidden.check(name, in: folder.descriptor.number)
      let place = Place(folder: folder, name: name, path: path)
      guard try place.status()?.kind == .link else { return place }
      let target = try place.target()
      guard target.first != .slash else { throw SystemError("follow a link", code: EXDEV) }
      path = PathBytes.join(parent, target)
    }
    throw SystemError("follow a link", code: ELOOP)
  }

  /// Makes the folders on the way to `path` that are not there, and `path` itself. Those it makes, from
  /// above to below, are each told to `made` at once, so also where a later one fails.
  package func makeFolders(
    _ path: [UInt8],
    made: ([UInt8]) throws(SystemError) -> Void = { _ in }
  ) throws(SystemError) {
    var end = path.startIndex
    while end < path.endIndex {
      end = path[end...].drop { $0 == .slash }.firstIndex(of: .slash) ?? path.endIndex
      let folder = Array(path[..<end])
      if try makeFolder(folder) { try made(folder) }
    }
  }

  /// - Returns: whether it was not there before.
  private func makeFolder(_ path: [UInt8]) throws(SystemError) -> Bool {
    do {
      _ = try beneath(path, O_DIRECTORY, isPlace: true)
      return false
    } catch {
      guard error.code == ENOENT else { throw error }
      let (parent, name) = PathBytes.split(path)
      let folder = try beneath(parent, O_DIRECTORY, isPlace: true)
      try hidden.check(name, in: folder.number)
      let made = unsafe mkdirat(folder.number, PathBytes.terminated(name), 0o755)
      // Somebody else may have made it meanwhile.
      guard made == 0 || gh_errno() == EEXIST else { throw SystemError("make a folder") }
      return made == 0
    }
  }

  /// Opens what is at a path, or only holds its place: that asks for no permission on the file, and
  /// no device or pipe notices.
  func beneath(
    _ path: [UInt8],
    _ flags: Int32,
    isPlace: Bool = false
  ) throws(SystemError) -> Descriptor {
    guard !path.contains(0) else { throw SystemError("open a path with a NUL", code: EINVAL) }
    let path = PathBytes.terminated(path.isEmpty ? [.dot] : path)
    // EAGAIN: a `..` met a rename elsewhere; the kernel cannot say where it led. Ask again.
    for _ in 0..<64 {
      let number =
        unsafe isPlace
        ? gh_hold_beneath(folder.number, path, flags) : gh_open_beneath(folder.number, path, flags)
      if number >= 0 {
        let found = Descriptor(owning: number)
        try hidden.check(number)
        return found
      }
      guard gh_errno() == EAGAIN || gh_errno() == EINTR else { throw SystemError("open a path") }
    }
    throw SystemError("open a path", code: EBUSY)
  }
}

/// Reads a symbolic link; an empty name means the one that `folder` itself holds.
func readLink(_ folder: Int32, _ name: [UInt8]) throws(SystemError) -> [UInt8] {
  var buffer = [CChar](repeating: 0, count: 4_096)
  let count = unsafe readlinkat(folder, PathBytes.terminated(name), &buffer, buffer.count)
  guard count >= 0 else { throw SystemError("read a link") }
  return buffer.prefix(count).map { UInt8(truncatingIfNeeded: $0) }
}
