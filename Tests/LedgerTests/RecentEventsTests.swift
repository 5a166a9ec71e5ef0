internal import Testing

@testable internal import Ledger

@Suite struct `Events on their way to the index` {
  private func batch(_ sequences: ClosedRange<UInt64>, bytes: Int = 1) -> RecentEvents.Batch {
    RecentEvents.Batch(first: sequences.lowerBound, last: sequences.upperBound, bytes: bytes) {
      for sequence in sequences {
        var header = EventHeader(.callIntended)
        header.sequence = sequence
        $0.append(LedgerEvent(header: header, body: .none))
      }
    }
  }

  private func numbers(_ batches: [RecentEvents.Batch]) -> [UInt64] {
    var events: [LedgerEvent] = []
    for batch in batches { batch.add(&events) }
    return events.map(\.header.sequence)
  }

  @Test func `are taken in order, whole batches up to a limit`() {
    var recent = RecentEvents()
    for first in [5, 8, 11] as [UInt64] { recent.append(batch(first...first + 2)) }
    #expect(numbers(recent.take(from: 5, to: 100, limit: 4)) == [5, 6, 7, 8, 9, 10])
    #expect(numbers(recent.take(from: 11, to: 100, limit: 4)) == [11, 12, 13])
    #expect(recent.take(from: 14, to: 100, limit: 4).isEmpty)
  }

  @Test func `are not taken before their turn, nor beyond the end`() {
    var recent = RecentEvents()
    recent.append(batch(5...7))
    recent.append(batch(8...9))
    #expect(recent.take(from: 3, to: 100, limit: 10).isEmpty)
    #expect(numbers(recent.take(from: 5, to: 8, limit: 10)) == [5, 6, 7])
    #expect(numbers(recent.take(from: 8, to: 9, limit: 10)) == [8, 9])
  }

  @Test func `make room when others came first, in whole or in part`() {
    var recent = RecentEvents()
    recent.append(batch(5...7))
    recent.append(batch(8...9))
    recent.append(batch(12...13))
    // Read from the store up to 8: what is left of that batch is read there too.
    #expect(recent.take(from: 9, to: 100, limit: 10).isEmpty)
    #expect(recent.take(from: 10, to: 100, limit: 10).isEmpty)
    #expect(numbers(recent.take(from: 12, to: 100, limit: 10)) == [12, 13])
  }

  @Test func `are left out beyond a bound, and go on behind the hole`() {
    var recent = RecentEvents()
    let most = UInt64(RecentEvents.maxEvents)
    recent.append(batch(1...most))
    recent.append(batch(most + 1...most + 1))
    #expect(numbers(recent.take(from: 1, to: most + 1, limit: 1)).count == Int(most))
    #expect(recent.take(from: most + 1, to: most + 1, limit: 1).isEmpty)
    recent.append(batch(most + 2...most + 2))
    recent.append(batch(most + 3...most + 3, bytes: RecentEvents.maxBytes))
    #expect(numbers(recent.take(from: most + 2, to: most + 9, limit: 9)) == [most + 2])
    recent.append(batch(most + 4...most + 4, bytes: RecentEvents.maxBytes))
    #expect(recent.take(from: most + 4, to: most + 9, limit: 9).count == 1)
  }
}
