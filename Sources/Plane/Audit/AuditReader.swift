internal import Ledger

/// Finds events: forwards, backwards, and by time.
struct AuditReader: Sendable {
  static let page = 1_000

  let ledger: Ledger

  /// Gives events from a sequence number on, page by page, until `body` has enough.
  func forwards(
    from first: UInt64,
    _ body: (LedgerEvent) async throws -> Progress
  ) async throws {
    var next = max(1, first)
    while case let events = try await ledger.read(from: next, limit: Self.page), !events.isEmpty {
      for event in events where try await body(event) == .enough { return }
      next += UInt64(events.count)
    }
  }

  /// Gives events from a sequence number back to the first, until `body` has enough.
  func backwards(
    from last: UInt64,
    _ body: (LedgerEvent) throws -> Progress
  ) async throws {
    var end = last
    while end > 0 {
      let start = end > UInt64(Self.page) ? end - UInt64(Self.page) + 1 : 1
      let count = Int(end - start + 1)
      for event in try await ledger.read(from: start, limit: count).reversed()
      where try body(event) == .enough { return }
      end = start - 1
    }
  }

  enum Progress { case more, enough }

  /// Gives events that may have one of the terms of each group, oldest first: from the index as far as
  /// it goes, then all others. Without groups, all.
  func forwards(
    in range: ClosedRange<UInt64>,
    by groups: [[SearchTerm]],
    _ body: (LedgerEvent) async throws -> Progress
  ) async throws {
    var next = range.lowerBound
    while !groups.isEmpty, next <= range.upperBound {
      let page = try await ledger.search(
        groups,
        in: next...range.upperBound,
        newestFirst: false,
        limit: Self.page
      )
      for sequence in page.sequences where sequence <= page.indexed {
        guard let event = try await ledger.read(from: sequence, limit: 1).first else { continue }
        if try await body(event) == .enough { return }
      }
      let isLast = page.sequences.count < Self.page
      next =
        isLast ? max(next, page.indexed + 1) : min(page.sequences[Self.page - 1], page.indexed) + 1
      if isLast { break }
    }
    guard next <= range.upperBound else { return }
    try await forwards(from: next) { event in
      event.header.sequence <= range.upperBound ? try await body(event) : .enough
    }
  }

  /// The same, newest first.
  func backwards(
    in range: ClosedRange<UInt64>,
    by groups: [[SearchTerm]],
    _ body: (LedgerEvent) throws -> Progress
  ) async throws {
    guard !groups.isEmpty else {
      return try await backwards(from: range.upperBound) { event in
        event.header.sequence >= range.lowerBound ? try body(event) : .enough
      }
    }
    var isDone = false
    var end = range.upperBound
    var isTailRead = false
    while !isDone, end >= range.lowerBound {
      let page = try await ledger.search(
        groups,
        in: range.lowerBound...end,
        newestFirst: true,
        limit: Self.page
      )
      if !isTailRead, page.indexed < end {
        // What the index has not come to yet, first.
        try await backwards(from: end) { event in
          guard event.header.sequence > max(page.indexed, range.lowerBound - 1) else {
            return .enough
          }
          isDone = try body(event) == .enough
          return isDone ? .enough : .more
        }
      }
      isTailRead = true
      for sequence in page.sequences where !isDone && sequence <= page.indexed {
        guard let event = try await ledger.read(from: sequence, limit: 1).first else { continue }
        isDone = try body(event) == .enough
      }
      guard let last = page.sequences.last, page.sequences.count == Self.page, last > 1 else {
        return
      }
      end = last - 1
    }
  }

  /// Where in `range` events from `since` to `until` may be (microseconds since 1970; 0: no bound), in
  /// order. Times need not go the way of sequence numbers, since clocks are set.
  func ranges(
    in range: ClosedRange<UInt64>,
    since: UInt64,
    until: UInt64
  ) async throws -> [ClosedRange<UInt64>] {
    guard range.lowerBound <= ledger.lastSequence else { return [] }
    guard since > 0 || until > 0 else { return [range] }
    let all = try await ledger.ranges(
      from: Int64(clamping: since),
      to: until == 0 ? .max : Int64(clamping: until)
    )
    return all.filter { $0.overlaps(range) }.map { $0.clamped(to: range) }
  }
}
