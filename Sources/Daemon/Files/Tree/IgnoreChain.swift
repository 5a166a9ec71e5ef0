internal import EventLoop
internal import Sandbox

/// The `.gitignore` files that speak of what is in a folder: its own and those above it.
struct IgnoreChain: Sendable {
  private struct Link {
    let file: IgnoreFile
    /// Bytes of a path that lead to the file's folder.
    let prefix: Int
  }

  /// The outermost first.
  private var links: [Link] = []

  /// Whether a path is left out. What git itself keeps always is.
  func ignores(_ path: [UInt8], _ name: [UInt8], isFolder: Bool) -> Bool {
    if name == Array(".git".utf8) { return true }
    for link in links.reversed() {
      let below = Array(path.dropFirst(link.prefix))
      if let answer = link.file.ignores(below, isFolder: isFolder) { return answer }
    }
    return false
  }

  /// The chain for what is in `folder`, which has `file`; without one it is the same.
  func adding(_ file: IgnoreFile?, of folder: [UInt8]) -> IgnoreChain {
    guard let file else { return self }
    var chain = self
    chain.links.append(Link(file: file, prefix: folder.isEmpty ? 0 : folder.count + 1))
    return chain
  }
}

extension IgnoreFile {
  static let name = Array(".gitignore".utf8)

  /// The folder's, if it has one that can be read.
  init?(in folder: [UInt8], of root: borrowing Root) {
    guard let file = try? root.open(PathBytes.join(folder, Self.name)),
      let status = try? file.status(), status.kind == .regular, status.bytes <= 1 << 20,
      let content = try? file.read(at: 0, count: Int(status.bytes))
    else { return nil }
    self.init(content)
  }
}
