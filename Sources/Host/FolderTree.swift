internal import CLinux
internal import Glibc

/// A folder with all in it.
enum FolderTree {
  /// Removes it. Follows no symbolic link: everything is reached through its folder's descriptor.
  static func remove(_ path: String) throws(HostError) {
    let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard folder >= 0 else { throw HostError(failed: "cannot remove \(path)") }
    try empty(folder, path)
    guard unsafe rmdir(path) == 0 else { throw HostError(failed: "cannot remove \(path)") }
  }

  static func isEmpty(_ path: String) throws(HostError) -> Bool {
    guard let stream = unsafe opendir(path) else { throw HostError(failed: "cannot list \(path)") }
    defer { unsafe closedir(stream) }
    var count = 0
    while count <= 2, unsafe readdir(stream) != nil { count += 1 }
    return count <= 2  // `.` and `..`
  }

  /// All names but `.` and `..`.
  static func names(_ path: String) throws(HostError) -> [String] {
    guard let stream = unsafe opendir(path) else { throw HostError(failed: "cannot list \(path)") }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// Takes `folder` over and closes it.
  private static func empty(_ folder: Int32, _ path: String) throws(HostError) {
    guard let stream = unsafe fdopendir(folder) else {
      let error = HostError(failed: "cannot list \(path)")
      close(folder)
      throw error
    }
    defer { unsafe closedir(stream) }
    // Package managers make folders read-only; their names could not be removed.
    fchmod(folder, 0o700)
    while let entry = unsafe readdir(stream) {
      let isFolder = unsafe Int32(entry.pointee.d_type) == Int32(DT_DIR)
      try unsafe withUnsafePointer(to: &entry.pointee.d_name) { (name) throws(HostError) in
        try unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) {
          (name) throws(HostError) in
          try unsafe remove(name, isFolder, from: folder, path)
        }
      }
    }
  }

  @unsafe private static func remove(
    _ name: UnsafePointer<CChar>,
    _ isFolder: Bool,
    from folder: Int32,
    _ path: String
  ) throws(HostError) {
    let text = unsafe String(cString: name)
    guard text != ".", text != ".." else { return }
    if isFolder {
      let inner = unsafe openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard inner >= 0 else { throw HostError(failed: "cannot remove \(path)/\(text)") }
      try empty(inner, "\(path)/\(text)")
    }
    guard unsafe unlinkat(folder, name, isFolder ? AT_REMOVEDIR : 0) == 0 else {
      throw HostError(failed: "cannot remove \(path)/\(text)")
    }
  }
}
