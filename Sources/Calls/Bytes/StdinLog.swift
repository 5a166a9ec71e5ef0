/// The input of one call, in the plane: what its owner wrote and the tool has not taken yet.
///
/// Kept so that it can be sent again when the daemon's stream is cut. Its owner may have so much
/// under way and no more: credit is given back when the daemon acknowledges.
package struct StdinLog: Sendable {
  /// The most that is kept, in bytes of data.
  package static let capacity = 256 * 1024

  /// The first byte that did not arrive yet.
  package private(set) var end: UInt64 = 0
  /// Everything before it was taken by the tool.
  package private(set) var acknowledged: UInt64 = 0

  private var entries = Fifo<Entry>()
  /// The next entry to send, counted from the first that is kept.
  private var unsent = 0
  /// The next byte to send.
  private var position: UInt64 = 0
  package private(set) var isClosed = false
  /// Bytes before this were written by an owner that is gone: nobody waits for their credit.
  private var firstWithCredit: UInt64 = 0
  private var isCloseSent = false
  /// Whether `end` is known. Not so of a call that an earlier plane took, until its owner says where
  /// it goes on.
  private var isAnchored = true
  /// A daemon that an earlier plane fed may have more than this one has sent.
  private var isInherited = false
  /// Its owner came back and sends again what was not acknowledged to it.
  private var isRejoined = false

  package init() {}

  /// The input of a call that an earlier plane took.
  package static var inherited: StdinLog {
    var log = StdinLog()
    log.isAnchored = false
    log.isInherited = true
    log.isRejoined = true
    return log
  }

  /// Adds a message from the owner: the buffer `chunk` was decoded from. Once it is acknowledged,
  /// `cost` bytes of credit are given back.
  ///
  /// - Returns: credit to give back now: all of it when an owner that came back sent what was here.
  /// - Throws: when it does not follow on what was there, or comes after the end, or passes
  ///   `capacity`.
  package mutating func append(
    _ message: [UInt8],
    _ chunk: Chunk,
    cost: Int
  ) throws(PositionError) -> Int {
    if !isAnchored { anchor(at: chunk.offset) }
    if isRejoined, chunk.offset < end {
      guard chunk.end > end else { return cost }
      let rest = chunk.suffix(of: message, from: end)
      let start = rest.count - Int(chunk.end - end)
      let new = Chunk(stream: .stdin, offset: end, data: start..<rest.count)
      return try append(rest, new, cost: cost)
    }
    guard !isClosed else { throw .afterClose(.stdin, closed: end, got: chunk.end) }
    guard chunk.offset == end else {
      throw .wrongOffset(.stdin, expected: end, got: chunk.offset)
    }
    guard chunk.end <= acknowledged + UInt64(Self.capacity) else {
      throw .tooMuch(.stdin, limit: Self.capacity)
    }
    end = chunk.end
    isRejoined = false
    // The tool has it already, from an earlier plane.
    guard end > acknowledged else { return cost }
    if entries.count - unsent < Self.manyUnsent || !merge(message, chunk, cost) {
      entries.append(Entry(message: message, chunk: chunk, cost: cost))
    }
    return 0
  }

  /// From so many entries on that were not sent, small ones grow together, up to so many bytes: chunks of a
  /// few bytes would need ten times the memory of their window.
  private static let manyUnsent = 64
  private static let mergedBytes = 1_024

  private mutating func merge(_ message: [UInt8], _ chunk: Chunk, _ cost: Int) -> Bool {
    let last = entries[entries.count - 1]
    guard last.chunk.offset >= firstWithCredit,
      last.chunk.data.count + chunk.data.count <= Self.mergedBytes
    else { return false }
    let data = last.message[last.chunk.data] + message[chunk.data]
    let merged = Chunk.message(stream: .stdin, offset: last.chunk.offset, data: data)
    let place = merged.count - data.count..<merged.count
    let both = Chunk(stream: .stdin, offset: last.chunk.offset, data: place)
    entries[entries.count - 1] = Entry(message: merged, chunk: both, cost: last.cost + cost)
    return true
  }

  private mutating func anchor(at offset: UInt64) {
    isAnchored = true
    end = offset
    acknowledged = max(acknowledged, offset)
  }

  /// No more will come: `offset` is the whole length. Saying so again changes nothing.
  ///
  /// - Throws: `wrongOffset` for any other length.
  package mutating func close(at offset: UInt64) throws(PositionError) {
    if !isAnchored { anchor(at: offset) }
    guard offset == end else { throw .wrongOffset(.stdin, expected: end, got: offset) }
    isClosed = true
  }

  /// The tool has taken everything before `offset`.
  ///
  /// - Returns: the credit to give back to the owner, in bytes.
  /// - Throws: `beyondEnd` when it was not sent. An old position again is no error.
  package mutating func acknowledge(before offset: UInt64) throws(PositionError) -> Int {
    guard offset <= position else { throw .beyondEnd(.stdin, end: position, got: offset) }
    acknowledged = max(acknowledged, offset)
    var credit = 0
    while let oldest = entries.first, oldest.chunk.end <= acknowledged {
      entries.popFirst()
      unsent -= 1
      credit += oldest.chunk.offset < firstWithCredit ? 0 : oldest.cost
    }
    return credit
  }

  /// The owner's stream has ended. What it wrote stays; its credit went with it.
  package mutating func ownerLeft() { firstWithCredit = end }

  /// Nobody takes what is left.
  package mutating func callEnded() {
    entries = Fifo()
    unsent = 0
  }

  /// An owner came back: it sends again what was not acknowledged to it.
  package mutating func ownerReturned() { isRejoined = true }

  /// Goes back to what a new attachment says it has, to send the rest again.
  ///
  /// - Throws: `beforeStart` for bytes that were acknowledged, `beyondEnd` for bytes that were never
  ///   sent.
  package mutating func rewind(to received: UInt64) throws(PositionError) {
    guard received >= acknowledged else {
      throw .beforeStart(.stdin, start: acknowledged, got: received)
    }
    guard received <= position || isInherited else {
      throw .beyondEnd(.stdin, end: position, got: received)
    }
    position = received
    isInherited = false
    isCloseSent = false
    unsent = (0..<entries.count).first { entries[$0].chunk.end > received } ?? entries.count
  }

  /// The next thing to send to the daemon, nil when it was told everything.
  package mutating func next() -> Outgoing? {
    // What the daemon has from an earlier plane is not sent again.
    while unsent < entries.count, entries[unsent].chunk.end <= position { unsent += 1 }
    guard unsent < entries.count else {
      guard isClosed, !isCloseSent else { return nil }
      isCloseSent = true
      return .close(at: end)
    }
    let entry = entries[unsent]
    defer {
      unsent += 1
      position = entry.chunk.end
    }
    return .message(entry.chunk.suffix(of: entry.message, from: max(position, entry.chunk.offset)))
  }

  package enum Outgoing: Sendable, Equatable {
    /// A chunk, framed as a `CarryResponse`.
    case message([UInt8])
    case close(at: UInt64)
  }

  private struct Entry {
    let message: [UInt8]
    let chunk: Chunk
    let cost: Int
  }
}
