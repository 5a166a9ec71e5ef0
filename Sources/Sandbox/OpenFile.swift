internal import CLinux
package import EventLoop

/// A file that is open for reading.
package struct OpenFile: ~Copyable, Sendable {
  private let descriptor: Descriptor

  init(owning descriptor: consuming Descriptor) { self.descriptor = descriptor }

  package func status() throws(SystemError) -> FileStatus { try FileStatus(of: descriptor.number) }

  /// Up to `count` bytes from `offset` on; fewer only at the file's end.
  package func read(at offset: UInt64, count: Int) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      guard let position = Int(exactly: offset + UInt64(filled)) else { break }
      let got = unsafe bytes.withUnsafeMutableBytes { bytes in
        unsafe pread(
          descriptor.number,
          bytes.baseAddress?.advanced(by: filled),
          count - filled,
          position
        )
      }
      guard got >= 0 || gh_errno() == EINTR else { throw SystemError("read a file") }
      if got == 0 { break }
      filled += max(0, got)
    }
    bytes.removeLast(count - filled)
    return bytes
  }
}
