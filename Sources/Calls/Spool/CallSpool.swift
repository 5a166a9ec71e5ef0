/// Where the output of one call lies on disk: segments of a fixed size, in order, each with whole
/// entries of the call's log. Numbers and places alone; whoever does the I/O holds the bytes.
package struct CallSpool: Sendable, Equatable {
  /// A part of the output, in a file that others use before and after.
  package struct Segment: Sendable, Equatable {
    /// Which file.
    package let slot: Int
    /// Drawn anew for each use of a file: what an earlier use left there does not fit to it.
    package let nonce: UInt64
    /// Grows along the output, from 1; none comes twice.
    package let number: UInt32
    /// That of the segment before it, and the bytes used there then; 0: it is the first.
    package let previous: UInt32
    package let previousBytes: Int
    /// The first entry that may be in it.
    package let first: Int
    package let starts: Positions
    /// Behind its last entry.
    package internal(set) var end: Int
    package internal(set) var ends: Positions
    /// Used by what was handed over, with its header.
    package internal(set) var bytes: Int
    /// Of these, written.
    package internal(set) var written: Int

    package init(
      slot: Int,
      nonce: UInt64,
      number: UInt32,
      previous: UInt32,
      previousBytes: Int,
      first: Int,
      starts: Positions
    ) {
      self.slot = slot
      self.nonce = nonce
      self.number = number
      self.previous = previous
      self.previousBytes = previousBytes
      self.first = first
      self.starts = starts
      end = first
      ends = starts
      bytes = CallSpool.headerBytes
      written = 0
    }

    /// One that was found on disk, and read up to there.
    package mutating func found(end: Int, ends: Positions, bytes: Int) {
      self.end = end
      self.ends = ends
      self.bytes = bytes
      written = bytes
    }
  }

  /// At the beginning of each segment.
  package static let headerBytes = 256
  /// Beside the bytes of each entry.
  package static let recordBytes = 24
  /// A segment holds the largest entry.
  package static let leastSegment = 128 * 1_024

  package let segmentBytes: Int
  package let maxSegments: Int
  package private(set) var segments: [Segment] = []
  private var lastNumber: UInt32 = 0
  /// The last segment is as an earlier plane left it: behind a tear may lie records that were whole, and
  /// what is written over them must not end where one of them begins.
  private var isSealed = false

  /// - Parameters:
  ///   - segmentBytes: of each file, at least `leastSegment`.
  ///   - quota: the most bytes on disk; at least two segments are had.
  package init(segmentBytes: Int, quota: Int) {
    precondition(segmentBytes >= Self.leastSegment, "\(segmentBytes) bytes hold no entry")
    self.segmentBytes = segmentBytes
    maxSegments = max(2, quota / segmentBytes)
  }

  /// The one that an earlier plane left, oldest segment first.
  package init(segmentBytes: Int, quota: Int, found segments: [Segment]) {
    self.init(segmentBytes: segmentBytes, quota: quota)
    self.segments = segments
    lastNumber = segments.map(\.number).max() ?? 0
    isSealed = true
  }

  /// Bytes on disk that hold output, or were set aside for it.
  package var diskBytes: Int { segments.count * segmentBytes }

  package var isFull: Bool { segments.count >= maxSegments }

  /// Whether its output lies in the file of this slot.
  package func uses(_ slot: Int) -> Bool { segments.contains { $0.slot == slot } }

  /// Whether an entry of so many bytes finds room in the last segment.
  package func fits(_ bytes: Int) -> Bool {
    guard let last = segments.last, !isSealed else { return false }
    return last.bytes + Self.recordBytes + bytes <= segmentBytes
  }

  /// Begins another segment, in the file of `slot`.
  ///
  /// - Returns: it.
  package mutating func open(slot: Int, nonce: UInt64, first: Int, at starts: Positions) -> Segment
  {
    let previous = segments.last
    lastNumber += 1
    isSealed = false
    let segment = Segment(
      slot: slot,
      nonce: nonce,
      number: lastNumber,
      previous: previous?.number ?? 0,
      previousBytes: previous?.bytes ?? 0,
      first: first,
      starts: starts
    )
    segments.append(segment)
    return segment
  }

  /// An entry of so many bytes goes into the last segment, where it `fits`.
  package mutating func place(_ bytes: Int, entry index: Int, of stream: CallStream, end: UInt64) {
    precondition(fits(bytes), "\(bytes) bytes do not fit")
    let last = segments.count - 1
    segments[last].bytes += Self.recordBytes + bytes
    segments[last].end = index + 1
    segments[last].ends[stream] = end
  }

  /// What was placed in this segment by then is written, up to so many bytes.
  package mutating func written(_ number: UInt32, upTo bytes: Int) {
    guard let index = segments.lastIndex(where: { $0.number == number }) else { return }
    segments[index].written = max(segments[index].written, bytes)
  }

  /// What was placed since `earlier` was not written. Its numbers are not used again.
  package mutating func undo(to earlier: CallSpool) {
    let number = max(lastNumber, earlier.lastNumber)
    self = earlier
    lastNumber = number
  }

  /// Gives up the oldest segment.
  package mutating func dropOldest() -> Segment? {
    segments.isEmpty ? nil : segments.removeFirst()
  }

  /// Gives up all.
  package mutating func dropAll() -> [Segment] {
    defer { segments = [] }
    return segments
  }
}

/// A place to read from.
package struct SpoolPlace: Sendable, Equatable {
  package let segment: CallSpool.Segment
  /// In bytes, from the segment's start; below `segment.written`.
  package let offset: Int

  package init(segment: CallSpool.Segment, offset: Int) {
    self.segment = segment
    self.offset = offset
  }
}

/// An entry of a log on its way to disk or back.
package struct SpoolRecord: Sendable, Equatable {
  /// Its place among the log's entries.
  package let index: Int
  package let item: CallLog.Item

  package init(index: Int, item: CallLog.Item) {
    self.index = index
    self.item = item
  }
}

/// What was read at a place.
package struct SpoolPage: Sendable {
  package let place: SpoolPlace
  package let records: [SpoolRecord]
  /// Where the next one begins; nil: the rest of the segment cannot be read.
  package let next: Int?

  package init(place: SpoolPlace, records: [SpoolRecord], next: Int?) {
    self.place = place
    self.records = records
    self.next = next
  }
}
