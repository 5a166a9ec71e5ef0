internal import CLinux
internal import Glibc

/// A file that only grows, anywhere on the machine.
package struct AppendFile: Sendable {
  /// Absolute.
  package let path: String

  package init(_ path: String) { self.path = path }

  /// Adds bytes at the end in one write, and returns when they are on disk. Makes the file, and its
  /// folder, where they are missing (modes 0600 and 0700).
  package func append(_ bytes: [UInt8]) throws(HostError) {
    let folder = path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
    if !folder.isEmpty { try StateFolder.makeFolders(folder) }
    let isNew = unsafe access(path, F_OK) != 0
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW
    let file = unsafe Glibc.open(path, flags, 0o600)
    guard file >= 0 else { throw HostError(failed: "cannot write \(path)") }
    defer { close(file) }
    try OpenFile(number: file, path: path).writeAll(bytes)
    guard fsync(file) == 0 else { throw HostError(failed: "cannot sync \(path)") }
    // Else a machine that loses power may have no such file.
    if isNew { try StateFolder.syncFolder(of: path) }
  }

  /// All bytes; nil when there is no such file.
  ///
  /// - Throws: when it cannot be read, is no regular file, or is larger than `maxBytes`.
  package func read(maxBytes: Int) throws(HostError) -> [UInt8]? {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 || gh_errno() != ENOENT else { return nil }
    return try SmallFile(path, atMost: maxBytes).bytes
  }

  /// To be read piece by piece; nil when there is no such file.
  ///
  /// - Throws: as `read`.
  package func open() throws(HostError) -> SegmentFile? {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 || gh_errno() != ENOENT else { return nil }
    return try SegmentFile(named: path)
  }

  /// How long it is; 0 when there is no such file.
  package func byteCount() throws(HostError) -> Int {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else {
      guard gh_errno() == ENOENT else { throw HostError(failed: "cannot read \(path)") }
      return 0
    }
    return Int(status.st_size)
  }

  /// Removes it; one that is not there is no error.
  package func remove() throws(HostError) {
    guard unsafe unlink(path) == 0 || gh_errno() == ENOENT else {
      throw HostError(failed: "cannot remove \(path)")
    }
  }

  /// At most `maxBytes` from its end; nil when there is no such file.
  package func readEnd(maxBytes: Int) throws(HostError) -> [UInt8]? {
    let file = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
      guard gh_errno() != ENOENT else { return nil }
      throw HostError(failed: "cannot read \(path)")
    }
    defer { close(file) }
    return try OpenFile(number: file, path: path).readEnd(maxBytes: maxBytes)
  }
}
