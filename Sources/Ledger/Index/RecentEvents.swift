/// Batches of events on their way from the writer to the index, which need not be read and opened
/// again. Bounded: what finds no room is read from the store.
struct RecentEvents: Sendable {
  static let maxEvents = 16_384
  static let maxBytes = 16 << 20

  /// What was written at once, in order and without a hole.
  struct Batch: Sendable {
    let first: UInt64
    let last: UInt64
    let bytes: Int
    /// Adds them to others. They are put together by whoever takes them, not by the writer.
    let add: @Sendable (_ events: inout [LedgerEvent]) -> Void

    var count: Int { Int(last - first) + 1 }

    /// Those of a batch that were written; nil: none were.
    init?(_ batch: [Pending]) {
      let written = batch.allSatisfy { $0.isWritten } ? batch : batch.filter { $0.isWritten }
      guard let first = written.first?.sequence, let last = written.last?.sequence else {
        return nil
      }
      (self.first, self.last) = (first, last)
      bytes = written.reduce(0) { $0 + $1.bodyBytes }
      add = { events in for one in written { events.append(one.event) } }
    }

    init(
      first: UInt64,
      last: UInt64,
      bytes: Int,
      add: @escaping @Sendable (_ events: inout [LedgerEvent]) -> Void
    ) {
      (self.first, self.last) = (first, last)
      self.bytes = bytes
      self.add = add
    }
  }

  /// In order; there may be holes between them.
  private var batches: [Batch] = []
  private var count = 0
  private var bytes = 0

  /// Adds a batch, if there is room.
  mutating func append(_ batch: Batch) {
    guard count + batch.count <= Self.maxEvents, bytes + batch.bytes <= Self.maxBytes else {
      return
    }
    batches.append(batch)
    count += batch.count
    bytes += batch.bytes
  }

  /// Takes those from `first` on: whole batches without a hole, none that goes beyond `last`, and no
  /// further one when there are `limit` events. What lies before `first` is of no use any more. Empty:
  /// they are not here.
  mutating func take(from first: UInt64, to last: UInt64, limit: Int) -> [Batch] {
    var taken: [Batch] = []
    var (next, gone) = (first, 0)
    for batch in batches {
      guard batch.first == next, batch.last <= last, next - first < UInt64(limit) else {
        // Behind what was read from the store meanwhile, whole or in part.
        guard batch.first < next, taken.isEmpty else { break }
        drop(batch, &gone)
        continue
      }
      taken.append(batch)
      next = batch.last + 1
      drop(batch, &gone)
    }
    batches.removeFirst(gone)
    return taken
  }

  private mutating func drop(_ batch: Batch, _ gone: inout Int) {
    gone += 1
    count -= batch.count
    bytes -= batch.bytes
  }
}
