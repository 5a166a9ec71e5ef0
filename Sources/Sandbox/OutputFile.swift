internal import CLinux
package import EventLoop

/// The bytes of one output of a command that were taken from its pipe and may be needed again: a ring in a
/// file.
///
/// A daemon that is killed, at whatever instruction, leaves it exact. A byte leaves the pipe, comes into the
/// file and is counted in one system call, `splice`, whose position lies in `TransferPositions`' memory.
/// File systems that cannot do that get `read` and `write`, and then a death between the two is said to be
/// (`TransferPositions.inDoubt`). To write takes disk, which may be full: that is an error and no signal,
/// since the bytes are not mapped, and they stay in the pipe.
package final class OutputFile {
  private let file: Descriptor
  private let positions: TransferPositions
  private let stream: Int
  private let capacity: UInt64
  private var canSplice = true

  /// Makes or opens it. `capacity` in bytes is the same each time.
  package init(
    in folder: borrowing StateFolder,
    named name: String,
    capacity: Int,
    positions: TransferPositions,
    stream: Int
  ) throws(SystemError) {
    let number = unsafe gh_open_at(folder.number, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
    guard number >= 0 else { throw SystemError("make \(folder.path)/\(name)") }
    file = Descriptor(owning: number)
    self.capacity = UInt64(capacity)
    self.positions = positions
    self.stream = stream
  }

  /// The bytes that are kept of a stream, as an earlier process left them, which may have been killed
  /// before it set all that the kernel had counted.
  package static func kept(
    in positions: TransferPositions,
    stream: Int,
    capacity: Int
  ) -> Range<UInt64> {
    let (end, base) = (positions[.end, stream], positions[.base, stream])
    let place = (end - base) % UInt64(capacity)
    let mark = positions[.mark, stream]
    // At most half is moved at once: a mark that is further ahead is the end of the lap before.
    if mark > place, mark - place <= UInt64(capacity) / 2 {
      positions[.end, stream] = end + mark - place
    }
    return positions[.start, stream]..<positions[.end, stream] + positions[.rest, stream]
  }

  /// Bytes that `take` takes at most. No more than half of the ring: see `kept`.
  package var mostAtOnce: Int {
    Int(min(capacity / 2, capacity - place(of: positions[.end, stream])))
  }

  /// Takes up to `limit` bytes out of a pipe, which has some; `buffer` may be written to. Those before
  /// `start` need not be kept.
  ///
  /// - Returns: how many came.
  /// - Throws: the pipe has them still; `isOutOfSpace` tells a full disk.
  package func take(
    from pipe: borrowing Descriptor,
    by buffer: inout [UInt8],
    limit: Int,
    keepingFrom start: UInt64
  ) throws(SystemError) -> Int {
    keep(from: start)
    let end = positions[.end, stream]
    let place = place(of: end)
    let count = min(limit, buffer.count, mostAtOnce)  // `copy` has no more room
    guard canSplice else { return try copy(from: pipe, into: &buffer, count, at: place) }
    positions[.mark, stream] = place
    let moved = positions.move(stream, from: pipe.number, to: file.number, count: count)
    if moved < 0 {
      let error = SystemError("write a command's output", code: Int32(-moved))
      if error.isWouldBlock || error.code == EINTR { return 0 }
      guard error.isNotSupported else { throw error }
      canSplice = false
      return try copy(from: pipe, into: &buffer, count, at: place)
    }
    positions[.end, stream] = end + UInt64(moved)
    return moved
  }

  /// Room is made before bytes are read that have no other place.
  private func copy(
    from pipe: borrowing Descriptor,
    into buffer: inout [UInt8],
    _ count: Int,
    at place: UInt64
  ) throws(SystemError) -> Int {
    // It stays where it is, and the ring goes on: see `kept`.
    positions[.mark, stream] = 0
    let code = posix_fallocate(file.number, off_t(place), off_t(count))
    guard code == 0 else { throw SystemError("write a command's output", code: code) }
    positions.begin()
    let end = positions[.end, stream]
    guard case .bytes(let read) = try pipe.read(into: &buffer, limit: count) else {
      positions.commit(end, to: .end, stream)
      return 0
    }
    try write(buffer[..<read], at: end)
    positions.commit(end + UInt64(read), to: .end, stream)
    return read
  }

  /// Keeps bytes behind the end that did not come through a pipe of ours: `kept` shows all of them, or none.
  package func keepRest(_ bytes: [UInt8]) throws(SystemError) {
    let end = positions[.end, stream]
    var rest = bytes[...]
    while !rest.isEmpty {
      let at = end + UInt64(rest.startIndex)
      let part = rest.prefix(Int(capacity - place(of: at)))
      try write(part, at: at)
      rest = rest.dropFirst(part.count)
    }
    positions[.rest, stream] = UInt64(bytes.count)
  }

  private func write(_ bytes: ArraySlice<UInt8>, at position: UInt64) throws(SystemError) {
    var rest = bytes
    while !rest.isEmpty {
      let at = place(of: position) + UInt64(bytes.count - rest.count)
      let count = unsafe rest.withUnsafeBytes {
        unsafe pwrite(file.number, $0.baseAddress, $0.count, off_t(at))
      }
      guard count >= 0 || gh_errno() == EINTR else { throw SystemError("write a command's output") }
      rest = rest.dropFirst(max(0, count))
    }
  }

  /// Nothing before `start` is needed any more. A ring that is empty begins anew: its first pages are in
  /// the cache.
  package func keep(from start: UInt64) {
    guard start > positions[.start, stream] else { return }
    positions[.start, stream] = start
    guard start == positions[.end, stream] + positions[.rest, stream] else { return }
    // In this order: never is there a mark behind the place of the end.
    positions[.mark, stream] = 0
    positions[.base, stream] = positions[.end, stream]
  }

  /// Reads kept bytes into the front of `buffer`, which has room for them.
  package func read(_ range: Range<UInt64>, into buffer: inout [UInt8]) throws(SystemError) {
    var done = 0
    while done < range.count {
      let position = range.lowerBound + UInt64(done)
      let place = place(of: position)
      let wanted = min(range.count - done, Int(capacity - place))
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe pread(file.number, $0.baseAddress?.advanced(by: done), wanted, off_t(place))
      }
      guard count > 0 || (count < 0 && gh_errno() == EINTR) else {
        throw SystemError("read a command's output", code: count == 0 ? EIO : gh_errno())
      }
      done += max(0, count)
    }
  }

  private func place(of position: UInt64) -> UInt64 {
    (position - positions[.base, stream]) % capacity
  }
}

extension SystemError {
  /// There is no room on the disk, or for this account.
  package var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }

  /// Too many descriptors are open, here or in the system.
  package var isOutOfDescriptors: Bool { code == EMFILE || code == ENFILE }

  /// This kernel, file system or kind of file cannot do that.
  package var isNotSupported: Bool { code == EINVAL || code == EOPNOTSUPP || code == ENOSYS }
}

extension Descriptor {
  /// A pipe holds nothing, and nobody will write to it again.
  package var hasEnded: Bool { gh_has_ended(number) != 0 }

  /// Moves what a terminal holds into a pipe.
  package func move(
    to pipe: borrowing Descriptor,
    count: Int
  ) throws(SystemError) -> Socket.Transfer {
    let moved = gh_splice_to_pipe(number, pipe.number, count)
    if moved > 0 { return .bytes(Int(moved)) }
    if moved == 0 { return .end }
    switch gh_errno() {
    case EAGAIN, EINTR: return .wouldBlock
    // A terminal whose other side was closed by everyone says so.
    case EIO: return .end
    default: throw SystemError("read from a terminal")
    }
  }
}
