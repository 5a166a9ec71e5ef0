internal import CLinux
package import EventLoop

/// An open folder.
struct Folder: ~Copyable, Sendable {
  let descriptor: Descriptor

  init(owning descriptor: consuming Descriptor) { self.descriptor = descriptor }

  /// The names in it without `.` and `..`, in byte order.
  func names() throws(SystemError) -> [[UInt8]] {
    let copy = dup(descriptor.number)
    guard copy >= 0 else { throw SystemError("list a folder") }
    guard let stream = unsafe fdopendir(copy) else {
      // The reason first: closing has one of its own.
      let error = SystemError("list a folder")
      close(copy)
      throw error
    }
    defer { unsafe closedir(stream) }
    unsafe rewinddir(stream)
    var names: [[UInt8]] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in
        unsafe Array(name.prefix { $0 != 0 })
      }
      if name != [.dot], name != [.dot, .dot] { names.append(name) }
    }
    return names.sorted { $0.lexicographicallyPrecedes($1) }
  }
}

/// A name in a held folder, where a file is or may be made.
package struct Place: ~Copyable, Sendable {
  private let folder: Folder
  package let name: [UInt8]
  /// From the root; a symbolic link at its end was followed.
  package let path: [UInt8]

  init(folder: consuming Folder, name: [UInt8], path: [UInt8]) {
    self.folder = folder
    self.name = name
    self.path = path
  }

  /// What is there; `nil` when there is nothing.
  package func status() throws(SystemError) -> FileStatus? {
    try FileStatus(of: name, in: folder.descriptor.number)
  }

  /// Where the symbolic link leads, as it is written.
  func target() throws(SystemError) -> [UInt8] { try readLink(folder.descriptor.number, name) }

  package func open() throws(SystemError) -> OpenFile {
    let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW
    let number = unsafe gh_open_beneath(
      folder.descriptor.number,
      PathBytes.terminated(name),
      flags
    )
    guard number >= 0 else { throw SystemError("open a file") }
    return OpenFile(owning: Descriptor(owning: number))
  }

  /// Puts a file with `content` there, whole or not at all, durable when this returns: a temporary
  /// file beside it is written, synced, and renamed.
  ///
  /// `replaced` is what is there now: its permissions are kept, without set-id bits, and its owner
  /// too where that is allowed. It must be writable, though renaming would not ask for that. `nil`
  /// means that nothing may be there (EEXIST otherwise); then the file has `permissions`, whatever
  /// the process's mask says. `renamed` is called as soon as the content is there: when this throws
  /// without that, nothing was changed; behind it, only whether it is durable is in doubt.
  package func put(
    _ content: [UInt8],
    replacing replaced: FileStatus?,
    permissions: UInt32,
    renamed: () -> Void = {}
  ) throws(SystemError) {
    let folder = self.folder.descriptor.number
    let name = PathBytes.terminated(self.name)
    if replaced != nil, unsafe faccessat(folder, name, W_OK, 0) != 0 {
      throw SystemError("write a file")
    }
    let temporary = Self.temporaryName()
    let number = unsafe gh_create_at(folder, temporary, 0o600)
    guard number >= 0 else { throw SystemError("make a temporary file") }
    do throws(SystemError) {
      try fill(Descriptor(owning: number), content, like: replaced, permissions)
      let result =
        unsafe replaced == nil
        ? gh_rename_new(folder, temporary, name) : renameat(folder, temporary, folder, name)
      guard result == 0 else { throw SystemError("rename a temporary file") }
    } catch {
      _ = unsafe unlinkat(folder, temporary, 0)
      throw error
    }
    renamed()
    guard fsync(folder) == 0 else { throw SystemError("sync a folder") }
  }

  private func fill(
    _ file: consuming Descriptor,
    _ content: [UInt8],
    like replaced: FileStatus?,
    _ permissions: UInt32
  ) throws(SystemError) {
    var written = 0
    while written < content.count {
      let count = unsafe content.withUnsafeBytes { content in
        unsafe write(
          file.number,
          content.baseAddress?.advanced(by: written),
          content.count - written
        )
      }
      guard count >= 0 || gh_errno() == EINTR else { throw SystemError("write a file") }
      written += max(0, count)
    }
    // Only an administrator may give files away; otherwise the owner changes to the daemon's.
    if let replaced { _ = fchown(file.number, replaced.owner, replaced.group) }
    // Whatever was trusted to run as its owner was the old content.
    let kept = replaced.map { $0.permissions & 0o777 }
    guard fchmod(file.number, kept ?? permissions) == 0, fsync(file.number) == 0
    else { throw SystemError("write a file") }
  }

  private static func temporaryName() -> [CChar] {
    PathBytes.terminated(Array(".gatehouse-\(UInt64.random(in: 0...(.max)))".utf8))
  }
}
