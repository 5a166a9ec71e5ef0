internal import CLinux
internal import Glibc

/// A descriptor someone else closes, with its name for errors.
struct OpenFile {
  let number: Int32
  let path: String

  func status() throws(HostError) -> (isRegular: Bool, bytes: Int) {
    var status = stat()
    guard unsafe fstat(number, &status) == 0 else {
      throw HostError(failed: "cannot read \(path)")
    }
    return (status.st_mode & S_IFMT == S_IFREG, Int(status.st_size))
  }

  func readAll() throws(HostError) -> [UInt8] {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = unsafe piece.withUnsafeMutableBytes {
        unsafe read(number, $0.baseAddress, $0.count)
      }
      if count == 0 { return bytes }
      if count > 0 {
        bytes += piece[..<count]
      } else if gh_errno() != EINTR {
        throw HostError(failed: "cannot read \(path)")
      }
    }
  }

  /// At most `maxBytes` from the end of a regular file.
  func readEnd(maxBytes: Int) throws(HostError) -> [UInt8] {
    let status = try status()
    guard status.isRegular else { throw HostError("\(path) is not a regular file; move it away") }
    guard lseek(number, max(0, status.bytes - maxBytes), SEEK_SET) >= 0 else {
      throw HostError(failed: "cannot read \(path)")
    }
    return try readAll()
  }

  func writeAll(_ bytes: [UInt8]) throws(HostError) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { bytes in
        unsafe write(number, bytes.baseAddress?.advanced(by: written), bytes.count - written)
      }
      if count >= 0 {
        written += count
      } else if gh_errno() != EINTR {
        throw HostError(failed: "cannot write \(path)")
      }
    }
  }
}
