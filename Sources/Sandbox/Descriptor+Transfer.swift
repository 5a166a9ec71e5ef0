internal import CLinux
package import EventLoop

extension Descriptor {
  /// Another number, not below `least`, for the same open file. Closed on exec.
  package func duplicate(least: Int32 = 3) throws(SystemError) -> Descriptor {
    let copy = gh_duplicate(number, least)
    guard copy >= 0 else { throw SystemError("duplicate a descriptor") }
    return Descriptor(owning: copy)
  }

  /// Marks an inherited descriptor, so that it is not inherited further.
  package static func closeOnExec(_ number: Int32) { gh_close_on_exec(number) }

  /// From here on, reading and writing never wait.
  package func setNonBlocking() throws(SystemError) {
    guard gh_set_nonblocking(number) == 0 else {
      throw SystemError("make a descriptor non-blocking")
    }
  }

  /// The null device, for reading and writing; an empty file of no name where there is no `/dev`.
  package static func openNull() throws(SystemError) -> Descriptor {
    do {
      return try open("/dev/null", O_RDWR)
    } catch  where error.code == ENOENT {
      return try memoryFile("null", holding: [])
    }
  }

  /// Holds a folder's place, for working directories and Landlock rules. Follows symbolic links.
  package static func openFolder(_ path: String) throws(SystemError) -> Descriptor {
    try open(path, GH_O_PATH | O_DIRECTORY)
  }

  static func open(_ path: String, _ flags: Int32) throws(SystemError) -> Descriptor {
    let number = unsafe gh_open_at(AT_FDCWD, path, flags, 0)
    guard number >= 0 else { throw SystemError("open \(path)") }
    return Descriptor(owning: number)
  }

  /// A file without a name, holding `content`, at its beginning.
  package static func memoryFile(
    _ name: String,
    holding content: [UInt8]
  ) throws(SystemError) -> Descriptor {
    let number = unsafe gh_memory_file(name)
    guard number >= 0 else { throw SystemError("make a memory file") }
    let file = Descriptor(owning: number)
    try file.writeAll(content)
    guard lseek(number, 0, SEEK_SET) == 0 else { throw SystemError("rewind a memory file") }
    return file
  }

  /// Writes all of `content`; for files and for pipes that may wait.
  func writeAll(_ content: [UInt8]) throws(SystemError) {
    var written = 0
    while written < content.count {
      let count = unsafe content.withUnsafeBytes { bytes in
        unsafe CLinux.write(
          number,
          bytes.baseAddress?.advanced(by: written),
          bytes.count - written
        )
      }
      guard count >= 0 || gh_errno() == EINTR else { throw SystemError("write a file") }
      written += max(0, count)
    }
  }

  /// Reads to the end.
  ///
  /// - Throws: `EFBIG` when there are more than `maxBytes`.
  package func readAll(maxBytes: Int) throws(SystemError) -> [UInt8] {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 * 1_024)
    while true {
      switch try read(into: &chunk) {
      case .bytes(let count): content.append(contentsOf: chunk[..<count])
      case .wouldBlock, .end: return content
      }
      guard content.count <= maxBytes else { throw SystemError("read a file", code: EFBIG) }
    }
  }

  /// What a pipe or terminal holds to be read, in bytes; 0 where that cannot be said.
  package var readableBytes: UInt64 { UInt64(max(0, gh_readable_bytes(number))) }

  /// Reads what a pipe or terminal holds, without waiting for more.
  package func readWaiting(maxBytes: Int) -> [UInt8] {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 * 1_024)
    while content.count < maxBytes, readableBytes > 0 {
      guard case .bytes(let count) = try? read(into: &chunk, limit: maxBytes - content.count) else {
        break
      }
      content += chunk[..<count]
    }
    return content
  }

  /// Reads what is there, `limit` bytes at most, into the front of `buffer`, which keeps its size.
  package func read(
    into buffer: inout [UInt8],
    limit: Int = .max
  ) throws(SystemError) -> Socket.Transfer {
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe CLinux.read(number, bytes.baseAddress, min(bytes.count, limit))
      }
      if count > 0 { return .bytes(count) }
      if count == 0 { return .end }
      switch gh_errno() {
      case EINTR: continue
      case EAGAIN: return .wouldBlock
      // A terminal whose other side was closed by everyone says so.
      case EIO: return .end
      default: throw SystemError("read from a command")
      }
    }
  }

  /// Writes the front of `bytes`, as much as there is room for.
  ///
  /// - Returns: `.end` when nobody reads any more.
  package func write(_ bytes: Span<UInt8>) throws(SystemError) -> Socket.Transfer {
    while true {
      let count = unsafe bytes.withUnsafeBufferPointer { bytes in
        unsafe CLinux.write(number, bytes.baseAddress, bytes.count)
      }
      if count >= 0 { return .bytes(count) }
      switch gh_errno() {
      case EINTR: continue
      case EAGAIN: return .wouldBlock
      case EPIPE, EIO: return .end
      default: throw SystemError("write to a command")
      }
    }
  }
}

extension SharedDescriptor {
  /// The null device.
  package static func null() throws(SystemError) -> SharedDescriptor {
    SharedDescriptor(try Descriptor.openNull())
  }
}

extension SystemError {
  /// Nothing to read, or no room to write, on a descriptor that does not wait.
  package var isWouldBlock: Bool { code == EAGAIN }
}
