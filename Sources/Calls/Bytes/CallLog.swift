/// The output of one call, in the plane: a window in memory, and behind it, with the rule `keep`, a spool
/// on disk.
///
/// Output is appended once, in the buffers in which it arrived, and every reader is handed those
/// same buffers. Each reader has a `Cursor`. One reader, the owner, takes bytes for good: what it
/// has taken gives credit to the daemon, may be acknowledged, and may leave the window. The others
/// follow, slow nobody down, and get a gap for what left the window before they came to it.
///
/// With `keep` the disk is that one reader: what is written there gives credit to the daemon and may
/// leave the window, and what is synced may be acknowledged. Whoever comes to what has left the window
/// is told where it lies (`next`). This value says what goes where; others do the I/O (`CallLog+Keep`).
///
/// What was not taken is bounded: credit for it is still out, so a stream can bring no more than its
/// window. The next stream of the call has a window of its own; whoever accounts for windows keeps
/// what the one before it brought in that account (`untakenCost`), or has the newest of it dropped
/// (`attachmentEnded`), which the daemon still has and sends again.
package struct CallLog: Sendable {
  /// The first byte that did not arrive yet, of each stream.
  package private(set) var ends = Positions()
  /// What the owner took, or the disk has, of each stream: positions that can be acknowledged.
  package internal(set) var taken = Positions()
  /// What left, or may leave, the window, of each stream; with `relay` the same.
  package private(set) var passed = Positions()
  /// Bytes of output in memory.
  package private(set) var heldBytes = 0
  /// What these take, with what each entry costs beside its bytes.
  package var heldMemory: Int { heldBytes + entries.count * Self.entryBytes }

  /// Where what is kept on disk lies; nil: nothing is, nor was.
  package internal(set) var spool: CallSpool?
  /// What comes goes to the disk.
  package internal(set) var isKept = false
  /// How many entries were handed over to be written, or passed over.
  var handed = 0
  /// What the owner has, where the disk is what takes for good.
  package internal(set) var ownerHas = Positions()

  private var window: Int
  /// Entries kept for followers: a window of chunks of one byte would take a hundred times its size.
  private var maxEntries: Int { max(1_024, window / 64) }
  /// Seen on 64-bit Linux: an array's header, the fields of its message, and the entry.
  private static let entryBytes = 128
  private var entries = Fifo<Entry>()
  /// How many entries left the window: the number of the first in it.
  private(set) var first = 0
  /// How many entries were taken.
  package private(set) var takenEntries = 0
  /// Entries before this one came by an attachment that has ended: nobody waits for their credit.
  private var firstWithCredit = 0
  /// Credit for what the owner has not taken, in bytes.
  package private(set) var untakenCost = 0
  /// What of that came by attachments that have ended.
  package private(set) var untakenBefore = 0
  /// How often the newest entries were dropped, or grew: cursors that have passed them look again.
  private var revisions = 0
  /// From which entry on, at the latest of them.
  private var revisedFrom: [Int] = []
  private static let maxRevisedFrom = 16
  /// From so many entries on that nobody took, small ones grow together, up to so many bytes.
  private static let manyUntaken = 256
  private static let mergedBytes = 1_024
  /// Output bytes that were taken since the last acknowledgement.
  var unacknowledged = 0

  /// - Parameter window: bytes kept for followers after the owner took them.
  package init(window: Int) { self.window = window }

  /// With the rule `keep`: what earlier planes left on disk, up to `ends`, and what comes now.
  package init(window: Int, spool: CallSpool, ends: Positions = Positions()) {
    self.window = window
    self.spool = spool
    isKept = true
    first = spool.segments.last?.end ?? 0
    (takenEntries, handed, firstWithCredit) = (first, first, first)
    (self.ends, taken, passed) = (ends, ends, ends)
  }

  /// The owner has taken all that came.
  package var isTaken: Bool {
    guard isKept else { return takenEntries == entryCount }
    return CallStream.outputs.allSatisfy { ownerHas[$0] >= ends[$0] }
  }

  /// How many entries there were since the beginning; a cursor that has passed all of them has
  /// nothing to read.
  package var entryCount: Int { first + entries.count }

  /// Adds a message that arrived: the buffer `chunk` was decoded from. Once it is taken, `cost` bytes
  /// of credit are given back.
  ///
  /// - Throws: `wrongOffset`, unless the chunk begins where its stream ended.
  package mutating func append(
    _ message: [UInt8],
    _ chunk: Chunk,
    cost: Int
  ) throws(PositionError) {
    guard chunk.offset == ends[chunk.stream] else {
      throw .wrongOffset(chunk.stream, expected: ends[chunk.stream], got: chunk.offset)
    }
    ends[chunk.stream] = chunk.end
    heldBytes += chunk.data.count
    untakenCost += cost
    if entryCount - takenEntries < Self.manyUntaken || !merge(message, chunk, cost) {
      entries.append(Entry(content: .message(message, chunk), cost: cost))
    }
    trim()
  }

  /// Adds to the newest entry of its stream, where that is small too: chunks of a few bytes that nobody
  /// takes would need ten times the memory of their window.
  private mutating func merge(_ message: [UInt8], _ chunk: Chunk, _ cost: Int) -> Bool {
    guard let index = newestOwn(of: chunk.stream),
      case .message(let earlier, let before) = entries[index].content,
      before.data.count + chunk.data.count <= Self.mergedBytes
    else { return false }
    let data = earlier[before.data] + message[chunk.data]
    let merged = Chunk.message(stream: chunk.stream, offset: before.offset, data: data)
    let place = merged.count - data.count..<merged.count
    let both = Chunk(stream: chunk.stream, offset: before.offset, data: place)
    entries[index] = Entry(content: .message(merged, both), cost: entries[index].cost + cost)
    revise(from: first + index)
    return true
  }

  private mutating func revise(from entry: Int) {
    revisions += 1
    revisedFrom.append(entry)
    if revisedFrom.count > Self.maxRevisedFrom { revisedFrom.removeFirst() }
  }

  /// Adds bytes that the daemon says are lost.
  ///
  /// - Throws: `wrongOffset`, unless they begin where their stream ended.
  package mutating func append(_ gap: LostBytes, cost: Int) throws(PositionError) {
    let (end, overflow) = gap.offset.addingReportingOverflow(gap.count)
    guard gap.offset == ends[gap.stream], !overflow, end <= UInt64(Int64.max), gap.count > 0 else {
      throw .wrongOffset(gap.stream, expected: ends[gap.stream], got: gap.offset)
    }
    ends[gap.stream] = end
    untakenCost += cost
    if entryCount - takenEntries < Self.manyUntaken || !merge(gap, cost) {
      entries.append(Entry(content: .gap(gap), cost: cost))
    }
  }

  /// The same for gaps that follow on each other.
  private mutating func merge(_ gap: LostBytes, _ cost: Int) -> Bool {
    guard let index = newestOwn(of: gap.stream), case .gap(let before) = entries[index].content
    else { return false }
    let both = LostBytes(stream: gap.stream, offset: before.offset, count: before.count + gap.count)
    entries[index] = Entry(content: .gap(both), cost: entries[index].cost + cost)
    revise(from: first + index)
    return true
  }

  /// The newest entry of a stream, if its cost can grow.
  private func newestOwn(of stream: CallStream) -> Int? {
    let own = max(firstWithCredit, takenEntries, handed) - first
    let newest = max(own, entries.count - CallStream.outputs.count)..<max(own, entries.count)
    return newest.last { entries[$0].stream == stream }
  }

  /// The owner has taken the first `count` entries, counted from the beginning.
  ///
  /// - Returns: the credit to give back to the daemon, in bytes.
  package mutating func take(entries count: Int) -> Int {
    precondition(count <= entryCount, "\(count) entries taken of \(entryCount)")
    var credit = 0
    while takenEntries < count { credit += takeNext() }
    trim()
    return credit
  }

  /// The owner has taken what its reader has passed.
  ///
  /// - Returns: the credit to give back to the daemon, in bytes.
  package mutating func take(passedBy cursor: Cursor) -> Int {
    // Its count is of entries that are not there any more: the next `read` counts anew.
    guard cursor.revisions == revisions else { return 0 }
    if isKept {
      ownerHas.raise(to: cursor.positions)
      return 0
    }
    return take(entries: cursor.entries)
  }

  /// The owner has taken everything before these positions. An entry counts when it and all before
  /// it are taken whole.
  ///
  /// - Returns: the credit to give back to the daemon, in bytes.
  /// - Throws: `beyondEnd` when more was acknowledged than there is.
  package mutating func take(before positions: Positions) throws(PositionError) -> Int {
    for stream in CallStream.outputs where positions[stream] > ends[stream] {
      throw .beyondEnd(stream, end: ends[stream], got: positions[stream])
    }
    if isKept {
      ownerHas.raise(to: positions)
      return 0
    }
    return takeEntries(before: positions)
  }

  /// An entry counts when it and all before it are taken whole.
  mutating func takeEntries(before positions: Positions) -> Int {
    var credit = 0
    while takenEntries < entryCount {
      let entry = entries[takenEntries - first]
      guard entry.end <= positions[entry.stream] else { break }
      credit += takeNext()
    }
    trim()
    return credit
  }

  /// What to acknowledge to the daemon now: nil until `bytes` were taken since the last time.
  package mutating func acknowledgement(every bytes: Int) -> Positions? {
    guard unacknowledged >= bytes, unacknowledged > 0 else { return nil }
    unacknowledged = 0
    return taken
  }

  /// The stream by which output came has ended, and its credit went with it. What it brought stays,
  /// unless more than `limit` bytes of credit are for what nobody took: then its newest entries go,
  /// and `ends` with them.
  ///
  /// - Returns: bytes of gaps that went, which were lost already and will be said to be again; as a
  ///   daemon may say any number, the sum wraps.
  @discardableResult
  package mutating func attachmentEnded(keeping limit: Int = .max) -> UInt64 {
    let before = entryCount
    var lost: UInt64 = 0
    // What earlier ones brought was acknowledged when the call was resumed: the daemon has it no more.
    while untakenCost > limit, entryCount > max(firstWithCredit, takenEntries, handed),
      let newest = entries.popLast()
    {
      untakenCost -= newest.cost
      heldBytes -= newest.held
      ends[newest.stream] = newest.offset
      if case .gap(let gap) = newest.content { lost &+= gap.count }
    }
    if entryCount < before { revise(from: takenEntries) }
    firstWithCredit = entryCount
    untakenBefore = untakenCost
    return lost
  }

  private mutating func takeNext() -> Int {
    let entry = entries[takenEntries - first]
    let credit = takenEntries < firstWithCredit ? 0 : entry.cost
    untakenCost -= entry.cost
    if takenEntries < firstWithCredit { untakenBefore -= entry.cost }
    takenEntries += 1
    passed[entry.stream] = entry.end
    guard !isKept else { return credit }
    unacknowledged += entry.held
    taken[entry.stream] = entry.end
    return credit
  }

  /// What was taken leaves memory, and so will what comes: it is on disk, or to be forgotten.
  package mutating func closeWindow() {
    window = 0
    trim()
  }

  /// The entry with this number, if it is in memory.
  func entry(_ index: Int) -> SpoolRecord? {
    guard index >= first, index < entryCount else { return nil }
    return SpoolRecord(index: index, item: entries[index - first].content)
  }

  /// Drops what was taken, oldest first, until the rest fits the window.
  private mutating func trim() {
    let maxEntries = window == 0 ? 0 : self.maxEntries
    while heldBytes > window || entries.count > maxEntries, first < takenEntries,
      let oldest = entries.popFirst()
    {
      first += 1
      heldBytes -= oldest.held
    }
  }

  private struct Entry {
    let content: Item
    let cost: Int

    var stream: CallStream { content.stream }
    var offset: UInt64 { content.offset }
    var end: UInt64 { content.end }
    var held: Int { content.held }
  }
}

extension CallLog {
  /// A reader's place in the log.
  package struct Cursor: Sendable {
    /// How many entries it has passed; `take(entries:)` takes them for the owner.
    package internal(set) var entries = 0
    /// What it wants next of each stream.
    package internal(set) var positions: Positions
    fileprivate var revisions = 0
    /// What was read from disk for it.
    var page = Fifo<SpoolRecord>()
    /// Where it goes on there.
    var place: (segment: UInt32, offset: Int)?

    /// A reader that has everything before `positions` already. A position beyond the end of its
    /// stream waits for that byte.
    package init(from positions: Positions = Positions()) { self.positions = positions }
  }

  /// What a reader gets.
  package enum Item: Sendable, Equatable {
    /// A message to forward as it is.
    case message([UInt8], Chunk)
    case gap(LostBytes)
  }

  /// Only what nobody had taken by then was dropped, or grew; since then more may have been. What the
  /// reader has of the rest is told by its positions.
  func lookAgain(_ cursor: inout Cursor) {
    guard cursor.revisions != revisions else { return }
    let missed = revisions - cursor.revisions
    let point = missed <= revisedFrom.count ? revisedFrom.suffix(missed).min() ?? 0 : 0
    cursor.entries = min(cursor.entries, point)
    cursor.revisions = revisions
  }

  /// The next thing for a reader in memory, nil when it has everything there is.
  package func read(_ cursor: inout Cursor) -> Item? {
    lookAgain(&cursor)
    cursor.entries = max(cursor.entries, first)
    while cursor.entries < entryCount {
      let content = entries[cursor.entries - first].content
      if let gap = gap(before: content.offset, of: content.stream, &cursor) { return .gap(gap) }
      cursor.entries += 1
      if let item = content.rest(for: &cursor) { return item }
    }
    for stream in CallStream.outputs {
      if let gap = gap(before: ends[stream], of: stream, &cursor) { return .gap(gap) }
    }
    return nil
  }

  /// What the reader missed: it left the window before the reader came to it.
  func gap(
    before offset: UInt64,
    of stream: CallStream,
    _ cursor: inout Cursor
  ) -> LostBytes? {
    let position = cursor.positions[stream]
    guard position < offset else { return nil }
    cursor.positions[stream] = offset
    return LostBytes(stream: stream, offset: position, count: offset - position)
  }
}

/// A peer named a position that cannot be.
package enum PositionError: Error, Equatable {
  /// Bytes must follow on what was there before.
  case wrongOffset(CallStream, expected: UInt64, got: UInt64)
  /// More was acknowledged, or asked for again, than was sent.
  case beyondEnd(CallStream, end: UInt64, got: UInt64)
  /// Asked for again after it was acknowledged.
  case beforeStart(CallStream, start: UInt64, got: UInt64)
  /// Bytes after the end, or two different ends.
  case afterClose(CallStream, closed: UInt64, got: UInt64)
  /// More than the receiver allowed to be under way.
  case tooMuch(CallStream, limit: Int)
}
