internal import CLinux
package import EventLoop

/// A file without a name in a folder of ours: gone with its holder, in whatever way that ends.
package struct ScratchFile: ~Copyable, Sendable {
  private let descriptor: Descriptor

  package init(in folder: borrowing StateFolder) throws(SystemError) {
    let name = ".scratch"
    let flags = O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW
    let number = unsafe gh_open_at(folder.number, name, flags, 0o600)
    guard number >= 0 else { throw SystemError("make a scratch file") }
    descriptor = Descriptor(owning: number)
    folder.remove(name)
  }

  /// - Returns: whether all of it is there.
  package func write(_ bytes: [UInt8], at offset: Int) -> Bool {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { bytes in
        unsafe pwrite(
          descriptor.number,
          bytes.baseAddress?.advanced(by: written),
          bytes.count - written,
          offset + written
        )
      }
      guard count > 0 || count < 0 && gh_errno() == EINTR else { return false }
      written += max(0, count)
    }
    return true
  }

  /// - Returns: `nil` when there is not all of it.
  package func read(at offset: Int, count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = unsafe bytes.withUnsafeMutableBytes { bytes in
        unsafe pread(
          descriptor.number,
          bytes.baseAddress?.advanced(by: filled),
          count - filled,
          offset + filled
        )
      }
      guard got > 0 || got < 0 && gh_errno() == EINTR else { return nil }
      filled += max(0, got)
    }
    return bytes
  }

  /// Lets go of all that is in it.
  package func clear() { _ = ftruncate(descriptor.number, 0) }
}
