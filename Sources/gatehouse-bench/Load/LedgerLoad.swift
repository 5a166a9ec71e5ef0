internal import Crypto
internal import Host
internal import Ledger
internal import Synchronization

/// Writers that each append an event, wait until it is durable, and append the next.
struct LedgerLoad {
  let writers: Int
  let bodyBytes: Int
  let time: Duration

  /// What was written, for SQLite alone to do the same.
  struct Shape {
    let batches: [Int]
    let headerBytes: Int
    let bodyBytes: Int
  }

  struct Run {
    let eventsPerSecond: Double
    let shape: Shape
    /// Of one writer: how long each event took, sorted.
    let waits: [Duration]

    func milliseconds(_ quantile: Double) -> Double {
      waits[Int(Double(waits.count - 1) * quantile)] / .milliseconds(1)
    }
  }

  static func open(
    _ folder: String,
    batches: (@Sendable (Int) -> Void)? = nil
  ) throws -> Ledger {
    var options = LedgerOptions(origin: "bench.example/ledger") {
      Int64(ThisProcess.unixMilliseconds) * 1_000
    }
    options.checkpointFile = folder + ".checkpoints"
    options.batchWritten = batches
    options.describe = { LedgerSample.facts($0) }
    return try Ledger(in: StateFolder(folder), options)
  }

  func run(in folder: String) async throws -> Run {
    let batches = BatchSizes()
    let ledger = try Self.open(folder) { batches.add($0) }
    let draft = Self.draft(bodyBytes)
    let end = ContinuousClock.now + time
    let began = ContinuousClock.now
    let waits = try await withThrowingTaskGroup(of: [Duration].self) { group in
      for _ in 0..<writers {
        group.addTask {
          var waits: [Duration] = []
          var now = ContinuousClock.now
          while now < end {
            _ = try await ledger.append(draft)
            let then = ContinuousClock.now
            waits.append(then - now)
            now = then
          }
          return waits
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    let sizes = try await ledger.read(from: 2, limit: 1).first.map { ledger.storedBytes(of: $0) }
    await ledger.close()
    return Run(
      eventsPerSecond: Double(waits.count) / seconds,
      shape: Shape(
        batches: batches.all,
        headerBytes: sizes?.header ?? 0,
        bodyBytes: sizes?.body ?? 0
      ),
      waits: waits.sorted()
    )
  }

  /// How many events of the sample there are.
  static func events(in folder: String) async throws -> Int {
    let ledger = try open(folder)
    // The first is the ledger's own.
    let count = Int(ledger.lastSequence) - 1
    await ledger.close()
    return count
  }

  /// Appends the sample's events of these numbers, fast.
  static func fill(_ folder: String, events: Range<Int>, bodyBytes: Int) async throws {
    let ledger = try open(folder)
    let writers = min(events.count, 1_024)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<writers {
        group.addTask {
          for number in stride(from: events.lowerBound + writer, to: events.upperBound, by: writers)
          {
            _ = try await ledger.append(LedgerSample.draft(number, bodyBytes: bodyBytes))
          }
        }
      }
      try await group.waitForAll()
    }
    await ledger.close()
    // What the index has not come to, which is not what is measured.
    try await open(folder).close()
  }

  /// How long each search takes, in milliseconds: the newest 100, with their bodies.
  static func search(_ folder: String, events: Int) async throws -> [(name: String, time: Double)] {
    let ledger = try open(folder)
    var times: [(name: String, time: Double)] = []
    for (name, groups) in LedgerSample.searches(events) {
      let began = ContinuousClock.now
      let page = try await ledger.search(
        groups,
        in: 1...UInt64(events),
        newestFirst: true,
        limit: 100
      )
      for sequence in page.sequences { _ = try await ledger.read(from: sequence, limit: 1) }
      times.append((name, (ContinuousClock.now - began) / .milliseconds(1)))
    }
    await ledger.close()
    return times
  }

  /// As large as a call's intent.
  private static func draft(_ bodyBytes: Int) -> EventDraft {
    let actor = EventPrincipal(
      id: "spiffe://bench.example/user/somebody",
      issuerPin: .init([UInt8](repeating: 1, count: 32)),
      keyPin: .init([UInt8](repeating: 2, count: 32))
    )
    var header = EventHeader(.callIntended)
    header.principal = actor
    header.workspace = "ws_00000000000000000000000000"
    header.call = "call_00000000000000000000000000"
    return EventDraft(
      header,
      scope: .owner(actor),
      body: [UInt8](repeating: 0x61, count: bodyBytes)
    )
  }
}

/// SQLite alone, with rows of the same sizes in the same batches.
enum PlainLoad {
  /// - Returns: events a second.
  static func run(_ shape: LedgerLoad.Shape, _ folder: String) throws -> Double {
    let plain = try PlainSQLite(folder + ".plain.db")
    let header = [UInt8](repeating: 0x62, count: shape.headerBytes)
    let body = [UInt8](repeating: 0x63, count: shape.bodyBytes)
    let began = ContinuousClock.now
    for batch in shape.batches { try plain.insert(batch, header: header, body: body) }
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    return Double(shape.batches.reduce(0, +)) / seconds
  }
}

private final class BatchSizes: Sendable {
  private let sizes = Mutex<[Int]>([])

  var all: [Int] { sizes.withLock { $0 } }

  func add(_ size: Int) { sizes.withLock { $0.append(size) } }
}
