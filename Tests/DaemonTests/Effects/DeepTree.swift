import Glibc
import Testing

/// Folders in one another, deeper than any path is long, with names that are no text.
struct DeepTree: ~Copyable {
  private var folders: [Int32] = []
  private let name: [CChar]

  /// In the folder at `path`.
  init(in path: String, depth: Int = 20) throws {
    name = [CChar](repeating: -1, count: 255) + [0]
    folders.append(unsafe open(path, O_RDONLY | O_DIRECTORY))
    for _ in 0..<depth {
      let above = try #require(folders.last)
      try #require(unsafe mkdirat(above, name, 0o755) == 0)
      folders.append(unsafe openat(above, name, O_RDONLY | O_DIRECTORY))
    }
  }

  /// Its paths are too long for those who remove the rest of a test.
  deinit {
    for folder in folders.dropLast().reversed() { _ = unsafe unlinkat(folder, name, AT_REMOVEDIR) }
    for folder in folders { close(folder) }
  }
}
