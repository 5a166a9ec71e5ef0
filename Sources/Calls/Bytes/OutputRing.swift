/// One output stream of a call in the daemon: which of its bytes are kept, from the last acknowledged one
/// on. The bytes themselves are its holder's, who keeps those from `start` to `end`.
///
/// They stay until the plane acknowledges them, so that they can be sent again after a cut. When
/// the ring is full, either the pipe waits or the oldest bytes make room; a reader that comes for
/// those gets a gap.
package struct OutputRing: Sendable {
  package enum WhenFull: Sendable { case block, dropOldest }

  package static let defaultCapacity = 1024 * 1024
  package static let capacities = 64 * 1024...4 * 1024 * 1024

  /// The first byte that is still kept.
  package private(set) var start: UInt64
  /// The first byte that was not produced yet.
  package private(set) var end: UInt64
  /// Bytes that are kept at most.
  package let capacity: Int

  private let stream: CallStream
  private let whenFull: WhenFull

  /// A ring of `capacity` bytes, brought into `capacities`, 0 meaning `defaultCapacity`, and `spill` more.
  /// It begins with what an earlier run of the daemon left.
  package init(
    stream: CallStream,
    capacity: Int = 0,
    spill: Int = 0,
    whenFull: WhenFull = .block,
    keeping kept: Range<UInt64> = 0..<0
  ) {
    self.stream = stream
    self.whenFull = whenFull
    (start, end) = (kept.lowerBound, kept.upperBound)
    let wanted = capacity == 0 ? Self.defaultCapacity : capacity
    let ring = min(max(wanted, Self.capacities.lowerBound), Self.capacities.upperBound)
    self.capacity = ring + spill
  }

  /// How many bytes may be appended now. With `block` and 0, do not read the pipe.
  package var room: Int { whenFull == .dropOldest ? capacity : max(0, capacity - count) }

  private var count: Int { Int(end - start) }

  /// Lets the oldest bytes go that are in the way of `bytes` new ones, `room` at most.
  package mutating func makeRoom(for bytes: Int) {
    precondition(bytes <= room, "\(bytes) bytes for \(room)")
    let excess = count + bytes - capacity
    if excess > 0 { start += UInt64(excess) }
  }

  /// The holder keeps `bytes` more: those that `makeRoom` made room for, or the last ones, which no
  /// limit holds for.
  package mutating func append(_ bytes: Int) { end += UInt64(bytes) }

  /// The plane has everything before `offset`.
  ///
  /// - Throws: `beyondEnd` when it was never produced. An old position again is no error.
  package mutating func acknowledge(before offset: UInt64) throws(PositionError) {
    guard offset <= end else { throw .beyondEnd(stream, end: end, got: offset) }
    start = max(start, offset)
  }

  /// What to send to a plane that has everything before `offset`, with at most `limit` bytes of data;
  /// nil when it has everything.
  package func read(from offset: UInt64, limit: Int = Chunk.maxData) -> Item? {
    guard offset < end else { return nil }
    guard offset >= start else {
      return .gap(LostBytes(stream: stream, offset: offset, count: start - offset))
    }
    return .bytes(offset..<min(end, offset + UInt64(min(limit, Chunk.maxData))))
  }

  package enum Item: Sendable, Equatable {
    /// Those bytes, as a chunk; go on from their end.
    case bytes(Range<UInt64>)
    /// Go on from its end.
    case gap(LostBytes)
  }
}
