// The rule `keep`: what goes to disk, and what is read from there.
extension CallLog {
  /// Entries wait to be handed over.
  package var hasMoreToHand: Bool { isKept && handed < entryCount }

  /// The next entry to be handed over finds room in the last segment.
  package var nextFits: Bool {
    guard let next = entry(handed) else { return false }
    return spool?.fits(next.spoolBytes) ?? false
  }

  /// Begins another segment, in the file of `slot`, with the next entry to be handed over.
  package mutating func openSegment(slot: Int, nonce: UInt64) {
    let (first, starts) = (handed, handedEnds)
    _ = spool?.open(slot: slot, nonce: nonce, first: first, at: starts)
  }

  /// Hands over what fits into the last segment, to be written there in this order.
  package mutating func handOver() -> [SpoolRecord] {
    var records: [SpoolRecord] = []
    while isKept, let next = entry(handed), spool?.fits(next.spoolBytes) ?? false {
      spool?.place(next.spoolBytes, entry: next.index, of: next.item.stream, end: next.item.end)
      handed += 1
      records.append(next)
    }
    return records
  }

  /// What was handed over since is not written, and will be handed over again.
  package mutating func takeBack(to earlier: CallSpool, handed count: Int) {
    spool?.undo(to: earlier)
    handed = count
  }

  /// How many entries were handed over, for `takeBack`.
  package var handedEntries: Int { handed }

  /// All that was handed over is written, with so many bytes of this segment.
  ///
  /// - Returns: the credit to give back to the daemon, in bytes.
  package mutating func written(_ segment: UInt32, upTo bytes: Int) -> Int {
    spool?.written(segment, upTo: bytes)
    return take(entries: handed)
  }

  /// What was written before these positions is on disk, synced.
  package mutating func synced(before positions: Positions) {
    guard isKept, taken != positions else { return }
    taken.raise(to: positions)
    // There was a reason to sync, so the daemon is to hear of it.
    unacknowledged = Int.max / 2
  }

  /// All that came is on disk, synced.
  package var isSynced: Bool {
    isKept && handed == entryCount && takenEntries == entryCount
      && CallStream.outputs.allSatisfy { taken[$0] == ends[$0] }
  }

  /// The disk takes nothing now: what the owner has is passed over, or all there is. Nothing may be on
  /// its way to the disk.
  ///
  /// - Returns: the credit to give back to the daemon, in bytes, and bytes that nobody kept.
  package mutating func passOver(all: Bool) -> (credit: Int, bytes: Int) {
    var bytes = 0
    var end = handed
    while let next = entry(end), all || next.item.end <= ownerHas[next.item.stream] {
      bytes += next.item.held
      end += 1
    }
    handed = end
    return (take(entries: end), bytes)
  }

  /// The owner has all that the oldest segment holds.
  package var ownerHasOldest: Bool {
    guard let oldest = spool?.segments.first else { return false }
    return CallStream.outputs.allSatisfy { oldest.ends[$0] <= ownerHas[$0] }
  }

  /// Gives up the oldest segment: who comes to it gets a gap.
  package mutating func dropOldest() -> CallSpool.Segment? { spool?.dropOldest() }

  /// Gives up all on disk, and what is in memory of it; what comes is `relay`.
  package mutating func dropSpool() -> [CallSpool.Segment] {
    isKept = false
    closeWindow()
    return spool?.dropAll() ?? []
  }

  /// Nothing more goes to disk: what comes is `relay`, and the owner takes it. What lies on disk can
  /// still be read.
  ///
  /// - Returns: the credit for what the owner has taken already, in bytes.
  package mutating func stopKeeping() -> Int {
    guard isKept else { return 0 }
    isKept = false
    handed = 0
    for stream in CallStream.outputs where ownerHas[stream] > taken[stream] {
      taken[stream] = min(ownerHas[stream], passed[stream])
    }
    return takeEntries(before: ownerHas)
  }

  private var handedEnds: Positions {
    var ends = passed
    for index in takenEntries..<max(takenEntries, handed) {
      if let record = entry(index) { ends[record.item.stream] = record.item.end }
    }
    return ends
  }
}

extension SpoolRecord {
  /// What it takes on disk beside what each record takes.
  package var spoolBytes: Int {
    switch item {
    case .message(let message, _): message.count
    case .gap: SpoolRecord.gapBytes
    }
  }

  /// A gap's stream, offset and length.
  package static let gapBytes = 17
}

// Reading.
extension CallLog {
  /// What there is for a reader.
  package enum Next: Sendable, Equatable {
    case item(Item)
    /// It lies on disk: read there, and hand the page to the cursor.
    case onDisk(SpoolPlace)
    /// The reader has everything there is.
    case nothing
  }

  /// The next thing for a reader.
  package func next(_ cursor: inout Cursor) -> Next {
    lookAgain(&cursor)
    while let record = cursor.page.first {
      if record.index >= cursor.entries {
        if let gap = gap(before: record.item.offset, of: record.item.stream, &cursor) {
          return .item(.gap(gap))
        }
        cursor.entries = record.index + 1
      }
      cursor.page.popFirst()
      if let item = record.item.rest(for: &cursor) { return .item(item) }
    }
    if cursor.entries < first, let place = place(for: &cursor) { return .onDisk(place) }
    return read(&cursor).map(Next.item) ?? .nothing
  }

  /// Where on disk a reader goes on; nil: what it wants is not there.
  private func place(for cursor: inout Cursor) -> SpoolPlace? {
    for segment in spool?.segments ?? [] where segment.end > cursor.entries {
      guard segment.first < first else { return nil }
      // A reader that begins far on need not pass all that is before.
      if CallStream.outputs.allSatisfy({ segment.ends[$0] <= cursor.positions[$0] }),
        segment.end <= first
      {
        cursor.entries = segment.end
        continue
      }
      var offset = CallSpool.headerBytes
      if let place = cursor.place, place.segment == segment.number { offset = place.offset }
      guard offset < segment.written else {
        // It was read to its end, and what was to come there did not.
        if segment.end <= first { cursor.entries = segment.end }
        continue
      }
      return SpoolPlace(segment: segment, offset: offset)
    }
    return nil
  }
}

extension CallLog.Cursor {
  /// What was read where `next` said.
  package mutating func take(_ page: SpoolPage) {
    for record in page.records { self.page.append(record) }
    place = (page.place.segment.number, page.next ?? Int.max)
  }
}
