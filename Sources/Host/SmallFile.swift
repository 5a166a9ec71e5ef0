internal import CLinux
internal import Glibc

/// A file of the person who runs the plane: settings, or a key.
package struct SmallFile: Sendable {
  package let bytes: [UInt8]
  /// Nobody but its owner, and root, may read or change it.
  package let isPrivate: Bool

  /// Reads it whole.
  ///
  /// - Throws: when it cannot be read, is no regular file, or is larger than `limit`.
  package init(_ path: String, atMost limit: Int = 1 << 20) throws(HostError) {
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard number >= 0 else { throw HostError(failed: "cannot read \(path)") }
    defer { close(number) }
    let file = OpenFile(number: number, path: path)
    let status = try file.status()
    guard status.isRegular else { throw HostError("\(path) is not a file") }
    guard status.bytes <= limit else {
      throw HostError("\(path) has \(status.bytes) bytes; at most \(limit) are read")
    }
    bytes = try file.readAll()
    var details = stat()
    guard unsafe fstat(number, &details) == 0 else {
      throw HostError(failed: "cannot read \(path)")
    }
    isPrivate = details.st_mode & 0o077 == 0
  }
}
