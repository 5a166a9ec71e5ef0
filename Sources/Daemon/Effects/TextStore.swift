internal import Crypto
internal import DaemonWire
internal import EventLoop
internal import Sandbox

/// Contents of small text files as they were looked at, in a file without a name in the daemon's state:
/// so that a command's changes can be shown as a diff.
///
/// A content belongs to one state of one file: its inode with the time of its last change. That time no
/// program can set, and contents are only taken once it has passed.
struct TextStore: ~Copyable {
  /// Of a file, so that it is kept.
  static let maxText = 64 << 10
  /// States of files, each of a hundred bytes of memory.
  private static let maxCount = 200_000

  struct Key: Hashable {
    let inode: UInt64
    let changed: Int64
    let bytes: UInt64

    init(_ status: FileStatus) {
      inode = status.inode
      changed = status.changedNanoseconds
      bytes = status.bytes
    }
  }

  struct Content {
    let sha256: Hash256
    let kept: KeptText
    /// In the file, if it is kept.
    fileprivate let offset: Int
    fileprivate let count: Int
  }

  private let file: SharedFile?
  private let maxBytes: Int
  private var used = 0
  /// Of it, and of the contents, what was needed for all files there were, once they had been read.
  private var needed: (bytes: Int, contents: Int)?
  private var contents: [Key: Content] = [:]

  /// The store's file, shared so that the store may be moved.
  private final class SharedFile: Sendable {
    let file: ScratchFile

    init(in folder: borrowing StateFolder) throws(SystemError) {
      file = try ScratchFile(in: folder)
    }
  }

  /// Without a folder to write in nothing is kept.
  init(in folder: borrowing StateFolder, maxBytes: Int) {
    file = try? SharedFile(in: folder)
    self.maxBytes = maxBytes
  }

  /// Of a file in this state, if it was looked at.
  func content(of status: FileStatus) -> Content? { contents[Key(status)] }

  func text(of content: Content) -> [UInt8]? {
    guard content.kept == .kept else { return nil }
    return content.count == 0 ? [] : file?.file.read(at: content.offset, count: content.count)
  }

  /// Takes the content of a file that was in this state before and behind the reading of it. The text of
  /// one that `isIgnored` is not kept.
  mutating func take(_ bytes: [UInt8], of status: FileStatus, isIgnored: Bool) {
    guard contents.count < Self.maxCount else { return }
    let kept = kept(bytes, isIgnored: isIgnored)
    contents[Key(status)] = Content(
      sha256: Hash256(SHA256.hash(bytes)) ?? Hash256(),
      kept: kept,
      offset: used,
      count: bytes.count
    )
    if kept == .kept { used += bytes.count }
  }

  /// Takes the digest of a file that is too large to be kept.
  mutating func take(_ sha256: Hash256, of status: FileStatus) {
    guard contents.count < Self.maxCount else { return }
    contents[Key(status)] = Content(sha256: sha256, kept: .tooLarge, offset: 0, count: 0)
  }

  private func kept(_ bytes: [UInt8], isIgnored: Bool) -> KeptText {
    guard bytes.isText else { return .binary }
    guard !isIgnored, let file, used + bytes.count <= maxBytes, file.file.write(bytes, at: used)
    else { return .leftOut }
    return .kept
  }

  /// All files there are have been read.
  mutating func complete() { if needed == nil { needed = (used, contents.count) } }

  /// Begins anew when it holds much that is not needed any more.
  ///
  /// - Returns: whether it did.
  mutating func clean() -> Bool {
    guard let needed,
      used - needed.bytes > maxBytes / 4 || contents.count > 2 * needed.contents + 10_000
    else { return false }
    self.needed = nil
    contents = [:]
    used = 0
    file?.file.clear()
    return true
  }
}

extension [UInt8] {
  /// UTF-8 without NUL.
  var isText: Bool { !contains(0) && String(validating: self, as: UTF8.self) != nil }
}
