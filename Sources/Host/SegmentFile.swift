internal import CLinux
internal import Glibc

/// A file of a fixed size that is written in place, and used again and again for other things.
///
/// Its room on the disk is had when it is made, so that writing does not fail for want of it, and what
/// was written once is cheaper to write again: a fresh file's blocks have to be found first.
package final class SegmentFile: Sendable {
  package let path: String
  private let number: Int32

  /// Opens the file; where it is missing or shorter, it is made (mode 0600).
  ///
  /// - Parameters:
  ///   - path: where.
  ///   - bytes: its length.
  /// - Throws: when the disk has no room for it, or it cannot be opened.
  package init(_ path: String, bytes: Int) throws(HostError) {
    self.path = path
    number = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard number >= 0 else { throw HostError(failed: "cannot open \(path)") }
    let length = try OpenFile(number: number, path: path).status().bytes
    guard length < bytes else { return }
    let code = posix_fallocate(number, 0, bytes)
    guard code == 0 else {
      _ = unsafe unlink(path)
      throw HostError("cannot make \(path): \(HostError.reason(code))")
    }
    try StateFolder.syncFolder(of: path)
  }

  /// Opens one that is there, to read.
  package init(reading path: String) throws(HostError) {
    self.path = path
    number = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard number >= 0 else { throw HostError(failed: "cannot open \(path)") }
  }

  /// Opens any file that somebody names, to read it piece by piece.
  ///
  /// - Throws: also when it is no regular file.
  package init(named path: String) throws(HostError) {
    self.path = path
    number = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard number >= 0 else { throw HostError(failed: "cannot read \(path)") }
    guard try OpenFile(number: number, path: path).status().isRegular else {
      throw HostError("\(path) is not a file")
    }
  }

  deinit { if number >= 0 { close(number) } }

  package func write(_ bytes: [UInt8], at offset: Int) throws(HostError) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { bytes in
        unsafe pwrite(
          number,
          bytes.baseAddress?.advanced(by: written),
          bytes.count - written,
          offset + written
        )
      }
      if count >= 0 {
        written += count
      } else if gh_errno() != EINTR {
        throw HostError(failed: "cannot write \(path)")
      }
    }
  }

  /// At most `count` bytes from `offset` on: fewer at the file's end.
  package func read(_ count: Int, at offset: Int) throws(HostError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let more = unsafe bytes.withUnsafeMutableBytes { bytes in
        unsafe pread(
          number,
          bytes.baseAddress?.advanced(by: filled),
          bytes.count - filled,
          offset + filled
        )
      }
      if more == 0 { break }
      if more > 0 {
        filled += more
      } else if gh_errno() != EINTR {
        throw HostError(failed: "cannot read \(path)")
      }
    }
    bytes.removeLast(count - filled)
    return bytes
  }

  /// Returns when what was written is on disk.
  package func sync() throws(HostError) {
    guard fdatasync(number) == 0 else { throw HostError(failed: "cannot sync \(path)") }
  }

  /// Removes a file; one that is not there is fine.
  package static func remove(_ path: String) { _ = unsafe unlink(path) }
}
