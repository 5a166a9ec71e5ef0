/// Batches of events on their way from the writer to the index, which need not be read and opened
/// again. Bounded: what finds no room is read from the store.
struct RecentEvents: Sendable {
  static let maxEvents = 16_384
  static let maxBytes = 16 << 20

  private struct Batch: Sendable {
    let events: [LedgerEvent]
    let first: UInt64
    let last: UInt64
    let bytes: Int
  }

  /// In order; there may be holes between them.
  private var batches: [Batch] = []
  private var count = 0
  private var bytes = 0

  /// Adds what was written at once, in order and without a hole, if there is room.
  mutating func append(_ events: [LedgerEvent]) {
    guard let first = events.first?.header.sequence, let last = events.last?.header.sequence,
      count + events.count <= Self.maxEvents
    else { return }
    let size = events.reduce(0) { $0 + $1.bodyBytes }
    guard bytes + size <= Self.maxBytes else { return }
    batches.append(Batch(events: events, first: first, last: last, bytes: size))
    count += events.count
    bytes += size
  }

  /// Takes those from `first` on: whole batches without a hole, none that goes beyond `last`, and no
  /// further one when there are `limit`. What lies before `first` is of no use any more. Empty: they
  /// are not here.
  mutating func take(from first: UInt64, to last: UInt64, limit: Int) -> [LedgerEvent] {
    var taken: [LedgerEvent] = []
    var (next, gone) = (first, 0)
    for batch in batches {
      guard batch.first == next, batch.last <= last, taken.count < limit else {
        // Behind what was read from the store meanwhile, whole or in part.
        guard batch.first < next, taken.isEmpty else { break }
        drop(batch, &gone)
        continue
      }
      taken += batch.events
      next = batch.last + 1
      drop(batch, &gone)
    }
    batches.removeFirst(gone)
    return taken
  }

  private mutating func drop(_ batch: Batch, _ gone: inout Int) {
    gone += 1
    count -= batch.events.count
    bytes -= batch.bytes
  }
}

extension LedgerEvent {
  fileprivate var bodyBytes: Int {
    guard case .bytes(let body) = body else { return 0 }
    return body.count
  }
}
