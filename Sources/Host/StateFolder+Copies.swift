internal import CLinux
internal import Glibc

/// Folders as a whole, for copies of them.
extension StateFolder {
  /// Whether nothing is at `path`, or an empty folder.
  ///
  /// - Throws: when something else is.
  package static func isVacant(_ path: String) throws(HostError) -> Bool {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else {
      guard gh_errno() == ENOENT else { throw HostError(failed: "cannot read \(path)") }
      return true
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw HostError("\(path) is not a folder") }
    return try FolderTree.isEmpty(path)
  }

  /// The regular files in it, with their folders' names, sorted; none in a folder that `isLeftOut`
  /// says yes to. Symbolic links are no files of ours.
  package func files(
    leavingOut isLeftOut: (String) -> Bool = { _ in false }
  ) throws(HostError) -> [String] {
    var (files, folders): ([String], [String]) = ([], [""])
    while let folder = folders.popLast() {
      for entry in try FolderTree.names(path(of: folder)) {
        let name = folder.isEmpty ? entry : "\(folder)/\(entry)"
        guard !isLeftOut(name) else { continue }
        var status = stat()
        // What is gone meanwhile was a temporary file.
        guard unsafe lstat(path(of: name), &status) == 0 else { continue }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: folders.append(name)
        case S_IFREG: files.append(name)
        default: break
        }
      }
    }
    return files.sorted()
  }

  /// Renames it to `path`, where nothing or an empty folder is, on the same file system, and returns
  /// when that is on disk. This value means the old place, where there is nothing any more.
  package func move(to path: String) throws(HostError) {
    guard unsafe rename(self.path, path) == 0 else {
      throw HostError(failed: "cannot move \(self.path) to \(path)")
    }
    try Self.syncFolder(of: path)
  }

  /// Whether `path`, where nothing has to be, is this folder or lies in it, by whatever name.
  package func encloses(_ path: String) throws(HostError) -> Bool {
    var place = try Self.absolute(path)
    var own = stat()
    guard unsafe stat(self.path, &own) == 0 else {
      throw HostError(failed: "cannot read \(self.path)")
    }
    while true {
      if let real = Self.real(place) {
        // Of what is there, the parents are those that it really has.
        place = real
        var status = stat()
        if unsafe stat(place, &status) == 0, status.st_dev == own.st_dev,
          status.st_ino == own.st_ino
        {
          return true
        }
      }
      guard place != "/" else { return false }
      place = "/" + place.split(separator: "/").dropLast().joined(separator: "/")
    }
  }

  /// A path without symbolic links; nil where nothing is.
  private static func real(_ path: String) -> String? {
    guard let found = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(found) }
    return unsafe String(cString: found)
  }

  /// Paths that begin with `path`, in its folder, sorted; none where that cannot be read.
  package static func paths(beginningWith path: String) -> [String] {
    let parts = path.split(separator: "/")
    let parent = "/" + parts.dropLast().joined(separator: "/")
    guard let name = parts.last, let names = try? FolderTree.names(parent) else { return [] }
    return names.filter { $0.hasPrefix(name) }.sorted()
      .map { parent == "/" ? "/\($0)" : "\(parent)/\($0)" }
  }

  /// A path as the kernel takes it from anywhere.
  package static func absolutePath(_ path: String) throws(HostError) -> String {
    try absolute(path)
  }
}
