internal import CLinux
package import EventLoop

/// A folder of ours, held open: small files by name, for one account only.
///
/// A name has no '/'. Files are 0600, folders 0700.
package struct StateFolder: ~Copyable, Sendable {
  private let descriptor: Descriptor
  package let path: String

  package var number: Int32 { descriptor.number }

  /// Opens a folder, and makes it if its parent is there.
  package init(_ path: String) throws(SystemError) {
    let code = unsafe mkdir(path, 0o700)
    guard code == 0 || gh_errno() == EEXIST else { throw SystemError("make \(path)") }
    let number = unsafe gh_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0)
    guard number >= 0 else { throw SystemError("open \(path)") }
    descriptor = Descriptor(owning: number)
    self.path = path
  }

  /// A folder that somebody else opened.
  package init(owning descriptor: consuming Descriptor, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  /// A folder below, made if need be.
  package func folder(_ name: String) throws(SystemError) -> StateFolder {
    let code = unsafe mkdirat(number, name, 0o700)
    guard code == 0 || gh_errno() == EEXIST else { throw SystemError("make \(path)/\(name)") }
    let folder = unsafe gh_open_at(number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
    guard folder >= 0 else { throw SystemError("open \(path)/\(name)") }
    return StateFolder(owning: Descriptor(owning: folder), path: "\(path)/\(name)")
  }

  /// A file's content, or `nil` when there is no such file.
  package func read(_ name: String, maxBytes: Int = 4 << 20) throws(SystemError) -> [UInt8]? {
    let file = unsafe gh_open_at(number, name, O_RDONLY | O_NOFOLLOW, 0)
    guard file >= 0 else {
      if gh_errno() == ENOENT { return nil }
      throw SystemError("read \(path)/\(name)")
    }
    return try Descriptor(owning: file).readAll(maxBytes: maxBytes)
  }

  /// Replaces a file as a whole: a reader, also after a crash of ours, finds all or nothing of it.
  /// With `durable` also through a loss of power, which costs milliseconds.
  package func write(
    _ name: String,
    _ content: [UInt8],
    durable: Bool = false
  ) throws(SystemError) {
    let temporary = ".\(name).new"
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW
    let file = unsafe gh_open_at(number, temporary, flags, 0o600)
    guard file >= 0 else { throw SystemError("make \(path)/\(temporary)") }
    let owned = Descriptor(owning: file)
    try owned.writeAll(content)
    guard !durable || fsync(owned.number) == 0,
      unsafe renameat(number, temporary, number, name) == 0, !durable || fsync(number) == 0
    else { throw SystemError("write \(path)/\(name)") }
  }

  /// Whether this process is now the only one that has taken the folder for itself. Holds until the
  /// folder is closed, or the process is gone in whatever way.
  package func takeAlone() -> Bool { flock(number, LOCK_EX | LOCK_NB) == 0 }

  /// Removes a file; not an error when there is none.
  package func remove(_ name: String) { _ = unsafe unlinkat(number, name, 0) }

  /// Removes a folder below with the files in it.
  package func removeFolder(_ name: String) {
    let below = unsafe gh_open_at(number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
    guard below >= 0 else { return }
    let folder = StateFolder(owning: Descriptor(owning: below), path: "\(path)/\(name)")
    for file in folder.names() { folder.remove(file) }
    _ = unsafe unlinkat(number, name, AT_REMOVEDIR)
  }

  /// The names in it, in order.
  package func names() -> [String] { FileTree.names(in: number).sorted() }

  /// A path without symbolic links, or `nil` when there is nothing.
  package static func realPath(_ path: String) -> String? { FileTree.realPath(path) }

  /// The text of a file that the account was given, e.g. a token or a certificate.
  ///
  /// Throws when there is none, it has more than `maxBytes`, or is not UTF-8 (`EILSEQ`).
  package static func readFile(_ path: String, maxBytes: Int) throws(SystemError) -> String {
    let bytes = try Descriptor.open(path, O_RDONLY).readAll(maxBytes: maxBytes)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw SystemError("read \(path)", code: EILSEQ)
    }
    return text
  }
}
