internal import CLinux

/// Questions about the file system by path; for what is not hostile, like the system's own folders.
enum FileTree {
  /// The names in a folder, without symbolic links, folders first; none when it cannot be read.
  static func names(in folder: String) -> [String] {
    guard let stream = unsafe opendir(folder) else { return [] }
    return unsafe names(closing: stream)
  }

  /// The same of a folder that is held open. Needs no `/proc`.
  static func names(in folder: Int32) -> [String] {
    let number = unsafe gh_open_at(folder, ".", O_RDONLY | O_DIRECTORY, 0)
    guard number >= 0 else { return [] }
    guard let stream = unsafe fdopendir(number) else {
      close(number)
      return []
    }
    return unsafe names(closing: stream)
  }

  private static func names(closing stream: OpaquePointer) -> [String] {
    defer { unsafe closedir(stream) }
    var (folders, others): ([String], [String]) = ([], [])
    while let entry = unsafe readdir(stream) {
      guard unsafe gh_is_link(entry) == 0 else { continue }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      guard name != ".", name != ".." else { continue }
      if unsafe gh_is_folder_entry(entry) != 0 { folders.append(name) } else { others.append(name) }
    }
    return folders + others
  }

  /// The path without symbolic links, or `nil` when there is nothing.
  static func realPath(_ path: String) -> String? {
    guard let real = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }

  /// The path with its folder's real path; the last name stays, link or not, there or not.
  static func realFolder(of path: String) -> String? {
    guard let slash = path.lastIndex(of: "/") else { return nil }
    let folder = slash == path.startIndex ? "/" : String(path[..<slash])
    guard let real = realPath(folder) else { return nil }
    return (real == "/" ? "" : real) + path[slash...]
  }
}
