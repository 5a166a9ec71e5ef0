internal import CLinux
internal import Glibc

/// The folder that holds all a plane keeps: private to its account, written atomically.
///
/// Names are relative to it, of parts between `/`, and ours: no peer's text becomes a name.
package struct StateFolder: Sendable {
  /// Absolute, without a `/` at its end.
  package let path: String

  /// Opens the folder, and makes it and its parents where they are missing (mode 0700).
  ///
  /// One that is there and open to other accounts is made private, if it is empty or a plane's.
  ///
  /// - Throws: when it cannot be made, is no folder, belongs to another account, or is open to others
  ///   and holds something else: to close it would take that from them.
  package init(_ path: String) throws(HostError) {
    self.path = try Self.absolute(path)
    try Self.makeFolders(self.path)
    try Self.checkOwner(self.path)
    try makePrivate()
  }

  package func path(of name: String) -> String { "\(path)/\(name)" }

  /// Makes a folder in it, with its parents (mode 0700); one that is there is fine.
  package func makeFolder(_ name: String) throws(HostError) {
    try Self.makeFolders(path(of: name))
  }

  package func exists(_ name: String) -> Bool { unsafe access(path(of: name), F_OK) == 0 }

  /// A file's bytes, or nil when there is no such file.
  ///
  /// - Throws: when it cannot be read, is no regular file, or is larger than `maxBytes`.
  package func read(_ name: String, maxBytes: Int = 16 << 20) throws(HostError) -> [UInt8]? {
    let path = path(of: name)
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard file >= 0 else {
      guard gh_errno() != ENOENT else { return nil }
      throw HostError(failed: "cannot read \(path)")
    }
    defer { close(file) }
    let status = try OpenFile(number: file, path: path).status()
    guard status.isRegular else { throw HostError("\(path) is not a regular file; move it away") }
    guard status.bytes <= maxBytes else {
      throw HostError("\(path) has \(status.bytes) bytes, more than \(maxBytes); move it away")
    }
    return try OpenFile(number: file, path: path).readAll()
  }

  /// At most `maxBytes` from the end of a file that grows; nil when there is no such file.
  package func readEnd(of name: String, maxBytes: Int) throws(HostError) -> [UInt8]? {
    let path = path(of: name)
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard file >= 0 else {
      guard gh_errno() != ENOENT else { return nil }
      throw HostError(failed: "cannot read \(path)")
    }
    defer { close(file) }
    return try OpenFile(number: file, path: path).readEnd(maxBytes: maxBytes)
  }

  /// Keeps the last half of `maxBytes` of a log that is larger than that. Nobody writes to it now.
  package func trimLog(_ name: String, maxBytes: Int) throws(HostError) {
    guard let end = try readEnd(of: name, maxBytes: maxBytes + 1), end.count > maxBytes else {
      return
    }
    try write(Array(end.suffix(maxBytes / 2)), to: name)
  }

  /// As `read`, for what must be secret.
  ///
  /// - Throws: also when other accounts may read or write the file.
  package func readSecret(_ name: String) throws(HostError) -> [UInt8]? {
    let path = path(of: name)
    var status = stat()
    if unsafe lstat(path, &status) == 0, status.st_mode & 0o077 != 0 {
      throw HostError("\(path) may be read by other accounts; run: chmod 600 '\(path)'")
    }
    return try read(name)
  }

  /// Replaces a file as a whole: after a crash it holds the old bytes or the new ones.
  package func write(
    _ bytes: [UInt8],
    to name: String,
    mode: UInt32 = 0o600
  ) throws(HostError) {
    let path = path(of: name)
    let temporary = "\(path).\(getpid()).new"
    unlink(temporary)
    let file = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard file >= 0 else { throw HostError(failed: "cannot write \(temporary)") }
    defer { close(file) }
    do throws(HostError) {
      try OpenFile(number: file, path: temporary).writeAll(bytes)
      guard fsync(file) == 0, unsafe rename(temporary, path) == 0 else {
        throw HostError(failed: "cannot write \(path)")
      }
    } catch {
      unlink(temporary)
      throw error
    }
    try Self.syncFolder(of: path)
  }

  /// The names in a folder of it, sorted; none where there is no such folder.
  package func names(in name: String) throws(HostError) -> [String] {
    guard exists(name) else { return [] }
    return try FolderTree.names(path(of: name)).sorted()
  }

  /// Removes a file; none is fine.
  package func remove(_ name: String) throws(HostError) {
    guard unsafe Glibc.unlink(path(of: name)) == 0 || gh_errno() == ENOENT else {
      throw HostError(failed: "cannot remove \(path(of: name))")
    }
  }

  /// Removes a folder with all in it, following no symbolic link; none is fine.
  package func removeFolder(_ name: String) throws(HostError) {
    guard exists(name) else { return }
    try FolderTree.remove(path(of: name))
  }
}

private func unlink(_ path: String) { _ = unsafe Glibc.unlink(path) }

extension StateFolder {
  static func absolute(_ path: String) throws(HostError) -> String {
    var path = path
    if !path.hasPrefix("/") {
      var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
      guard unsafe getcwd(&buffer, buffer.count) != nil else {
        throw HostError(failed: "cannot read the working directory")
      }
      let bytes = buffer.prefix { $0 != 0 }.map { UInt8(truncatingIfNeeded: $0) }
      path = String(decoding: bytes, as: UTF8.self) + "/" + path
    }
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  static func makeFolders(_ path: String) throws(HostError) {
    var prefix = ""
    for part in path.split(separator: "/") {
      prefix += "/\(part)"
      guard unsafe mkdir(prefix, 0o700) != 0 else { continue }
      let code = gh_errno()
      var status = stat()
      // A folder that is there, on a read-only file system too.
      if unsafe stat(prefix, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { continue }
      throw HostError("cannot make folder \(prefix): \(HostError.reason(code))")
    }
  }

  private static func checkOwner(_ path: String) throws(HostError) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw HostError(failed: "cannot read \(path)") }
    guard status.st_uid == geteuid() else {
      throw HostError("\(path) belongs to another account; choose another folder with --state")
    }
  }

  private func makePrivate() throws(HostError) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw HostError(failed: "cannot read \(path)") }
    guard status.st_mode & 0o077 != 0 else { return }
    // A plane takes its lock and makes its keys before anything else.
    let isEmpty = try FolderTree.isEmpty(path)
    guard isEmpty || (exists("lock") && exists("pki")) else {
      throw HostError(
        "\(path) is open to other accounts and holds files that are not a plane's; choose another "
          + "folder with --state, or run: chmod 700 '\(path)'"
      )
    }
    guard unsafe chmod(path, 0o700) == 0 else {
      throw HostError(failed: "cannot make \(path) private")
    }
  }

  /// Makes a rename in the folder durable.
  static func syncFolder(of path: String) throws(HostError) {
    let folder = path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
    let file = unsafe open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard file >= 0 else { throw HostError(failed: "cannot open \(folder)") }
    defer { close(file) }
    guard fsync(file) == 0 else { throw HostError(failed: "cannot sync \(folder)") }
  }
}

extension StateFolder {
  /// Where a plane keeps its state unless told: `$XDG_STATE_HOME/gatehouse`, else
  /// `~/.local/state/gatehouse`.
  package static var usual: String {
    let home = ThisProcess.variable("HOME") ?? ""
    return (ThisProcess.variable("XDG_STATE_HOME") ?? "\(home)/.local/state") + "/gatehouse"
  }
}
