/// One output stream of a call in the daemon: the bytes from the last acknowledged one on.
///
/// They stay until the plane acknowledges them, so that they can be sent again after a cut. When
/// the ring is full, either the pipe waits or the oldest bytes make room; a reader that comes for
/// those gets a gap.
package struct OutputRing: Sendable {
  package enum WhenFull: Sendable { case block, dropOldest }

  package static let defaultCapacity = 1024 * 1024
  package static let capacities = 64 * 1024...4 * 1024 * 1024

  /// The first byte that is still kept.
  package private(set) var start: UInt64 = 0
  /// The first byte that was not produced yet.
  package private(set) var end: UInt64 = 0

  private let stream: CallStream
  private let capacity: Int
  private let whenFull: WhenFull
  /// Grows to `capacity` as it is needed: most calls say little.
  private var storage: [UInt8] = []

  /// An empty ring. Its capacity in bytes is brought into `capacities`; 0 means `defaultCapacity`.
  /// Bytes before `start` are gone: an earlier run of the daemon read them.
  package init(
    stream: CallStream,
    capacity: Int = 0,
    whenFull: WhenFull = .block,
    startingAt start: UInt64 = 0
  ) {
    self.stream = stream
    self.whenFull = whenFull
    (self.start, end) = (start, start)
    let wanted = capacity == 0 ? Self.defaultCapacity : capacity
    self.capacity = min(max(wanted, Self.capacities.lowerBound), Self.capacities.upperBound)
  }

  /// How many bytes `append` would take now. With `block` and 0, do not read the pipe.
  package var room: Int { whenFull == .dropOldest ? capacity : capacity - count }

  private var count: Int { Int(end - start) }

  /// Keeps bytes the tool wrote.
  ///
  /// - Parameter bytes: at most `room`.
  package mutating func append(_ bytes: ArraySlice<UInt8>) {
    precondition(bytes.count <= room, "\(bytes.count) bytes for \(room)")
    let excess = count + bytes.count - capacity
    if excess > 0 { start += UInt64(excess) }
    if count + bytes.count > storage.count { grow(toHold: count + bytes.count) }
    write(bytes)
  }

  /// The plane has everything before `offset`.
  ///
  /// - Throws: `beyondEnd` when it was never produced. An old position again is no error.
  package mutating func acknowledge(before offset: UInt64) throws(PositionError) {
    guard offset <= end else { throw .beyondEnd(stream, end: end, got: offset) }
    start = max(start, offset)
    if start == end { storage = [] }
  }

  /// What to send to a plane that has everything before `offset`, with at most `limit` bytes of data;
  /// nil when it has everything.
  package func read(from offset: UInt64, limit: Int = Chunk.maxData) -> Item? {
    guard offset < end else { return nil }
    guard offset >= start else {
      return .gap(LostBytes(stream: stream, offset: offset, count: start - offset))
    }
    let slot = slot(of: offset)
    let length = min(limit, Chunk.maxData, Int(end - offset), storage.count - slot)
    return .message(
      Chunk.message(stream: stream, offset: offset, data: storage[slot..<slot + length]),
      end: offset + UInt64(length)
    )
  }

  package enum Item: Sendable, Equatable {
    /// A chunk, framed as a `CarryRequest`; go on from `end`.
    case message([UInt8], end: UInt64)
    /// Go on from its end.
    case gap(LostBytes)
  }

  private func slot(of offset: UInt64) -> Int { Int(offset % UInt64(storage.count)) }

  private mutating func write(_ bytes: ArraySlice<UInt8>) {
    var rest = bytes
    while !rest.isEmpty {
      let slot = slot(of: end)
      let part = rest.prefix(storage.count - slot)
      storage.replaceSubrange(slot..<slot + part.count, with: part)
      end += UInt64(part.count)
      rest = rest.dropFirst(part.count)
    }
  }

  /// A byte's slot depends on the size, so what is kept is written anew.
  private mutating func grow(toHold bytes: Int) {
    let kept = keptBytes()
    var size = max(storage.count, 4096)
    while size < bytes { size *= 2 }
    storage = Array(repeating: 0, count: min(size, capacity))
    end = start
    write(kept[...])
  }

  private func keptBytes() -> [UInt8] {
    guard count > 0 else { return [] }
    let (from, to) = (slot(of: start), slot(of: end))
    return from < to ? Array(storage[from..<to]) : Array(storage[from...] + storage[..<to])
  }
}
