internal import Crypto
internal import DaemonWire
internal import EventLoop
internal import Sandbox

/// Reads files for what is said of them, within a budget.
struct FileLook {
  /// Bytes of files above `TextStore.maxText` that may yet be read for their digests.
  var budget: UInt64
  let end: ContinuousClock.Instant
  /// Something was not read since the time was over.
  private(set) var isLate = false
  private var reads = 0

  init(budget: UInt64, end: ContinuousClock.Instant) {
    self.budget = budget
    self.end = end
  }

  /// Files that are read whatever time that takes: a busy machine is no reason to know nothing.
  private static let leastReads = 100
  private static let leastDigested: UInt64 = 16 << 20
  private static let maxDigested: UInt64 = 64 << 20

  /// A file as it was found, with its text where that is kept. One that `isCurrent` may be read, since
  /// that is how it is now.
  mutating func state(
    of path: [UInt8],
    _ status: FileStatus,
    isCurrent: Bool,
    isIgnored: Bool,
    _ root: borrowing Root,
    _ store: inout TextStore
  ) -> FileState {
    var state = FileState(
      type: FileType(status.kind),
      bytes: status.kind == .folder ? 0 : status.bytes,
      mode: status.permissions
    )
    switch status.kind {
    case .folder, .other: break
    case .link, .regular:
      if isCurrent, store.content(of: status) == nil {
        read(path, status, isIgnored: isIgnored, root, &store)
      }
      fill(&state, status, store)
    }
    return state
  }

  private func fill(_ state: inout FileState, _ status: FileStatus, _ store: borrowing TextStore) {
    guard let content = store.content(of: status) else {
      state.kept = status.bytes > TextStore.maxText ? .tooLarge : .leftOut
      return
    }
    state.sha256 = content.sha256.bytes
    state.kept = content.kept
    guard content.kept == .kept else { return }
    if let text = store.text(of: content) { state.text = text } else { state.kept = .leftOut }
  }

  /// Takes what is in a file, or where a link leads, into the store; not when it is not in that state any
  /// more, or so new that a later change could have the same time.
  mutating func read(
    _ path: [UInt8],
    _ status: FileStatus,
    isIgnored: Bool,
    _ root: borrowing Root,
    _ store: inout TextStore
  ) {
    guard status.changedNanoseconds < FileClock.now else { return }
    reads += 1
    guard reads <= Self.leastReads || ContinuousClock.now < end else { return isLate = true }
    guard status.kind == .regular else {
      guard let target = try? root.target(ofLink: path), (try? root.status(of: path)) == status
      else { return }
      return store.take(target, of: status, isIgnored: false)
    }
    guard let file = try? root.open(path), (try? file.status()) == status else { return }
    guard status.bytes > TextStore.maxText else {
      guard let bytes = try? file.read(at: 0, count: Int(status.bytes)),
        (try? file.status()) == status, bytes.count == Int(status.bytes)
      else { return }
      return store.take(bytes, of: status, isIgnored: isIgnored)
    }
    guard status.bytes <= min(Self.maxDigested, budget) else { return }
    budget -= status.bytes
    if let digest = digest(of: file, status), (try? file.status()) == status {
      store.take(digest, of: status)
    }
  }

  private mutating func digest(of file: borrowing OpenFile, _ status: FileStatus) -> Hash256? {
    var hash = SHA256()
    var offset: UInt64 = 0
    while offset < status.bytes {
      guard offset < Self.leastDigested || ContinuousClock.now < end else {
        isLate = true
        return nil
      }
      guard let part = try? file.read(at: offset, count: 1 << 20),
        !part.isEmpty
      else { return nil }
      hash.update(part.span)
      offset += UInt64(part.count)
    }
    return offset == status.bytes ? Hash256(hash.finish()) : nil
  }
}

extension FileType {
  init(_ kind: FileStatus.Kind) {
    self =
      switch kind {
      case .regular: .regular
      case .folder: .directory
      case .link: .symlink
      case .other: .other
      }
  }
}
