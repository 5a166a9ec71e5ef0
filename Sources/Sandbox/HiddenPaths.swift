internal import CLinux
package import EventLoop

/// The hidden paths below a folder, told by where the kernel arrived: links, `..` and renames on the
/// way change nothing.
struct HiddenPaths: Sendable {
  private let paths: [[UInt8]]

  /// Those of `hidden` that are below `folder`, a path. With none of them nothing is looked up, and
  /// `/proc` is not needed; else, without it, nothing is opened.
  init(_ hidden: [String], below folder: String) {
    let root = FileTree.realPath(folder) ?? folder
    paths = FileView.realPaths(of: hidden).filter { FileView.isBelow($0, root) }
      .map { Array($0.utf8) }
  }

  /// - Throws: `SystemError.isHidden` when what is open there is hidden.
  func check(_ descriptor: Int32) throws(SystemError) {
    guard !paths.isEmpty else { return }
    try check(path: Self.path(of: descriptor))
  }

  /// The same for a name in an open folder, where something may be made.
  func check(_ name: [UInt8], in folder: Int32) throws(SystemError) {
    guard !paths.isEmpty else { return }
    try check(path: PathBytes.join(Self.path(of: folder), name))
  }

  /// What the kernel adds to the path of a file that was replaced meanwhile.
  private static let deleted = Array(" (deleted)".utf8)

  private func check(path: [UInt8]) throws(SystemError) {
    let isDeleted = path.suffix(Self.deleted.count) == Self.deleted[...]
    let path = isDeleted ? Array(path.dropLast(Self.deleted.count)) : path
    guard paths.contains(where: { path == $0 || path.starts(with: $0 + [.slash]) }) else { return }
    throw SystemError(SystemError.hiddenOperation, code: EACCES)
  }

  private static func path(of descriptor: Int32) throws(SystemError) -> [UInt8] {
    try readLink(AT_FDCWD, Array("/proc/self/fd/\(descriptor)".utf8))
  }
}

extension SystemError {
  fileprivate static let hiddenOperation = "open a path that is kept from workspaces"

  /// The path exists for the account, and is kept from the workspace.
  package var isHidden: Bool { operation == Self.hiddenOperation }
}
