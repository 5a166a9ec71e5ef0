internal import Calls
internal import Crypto
internal import EventLoop
package import Host

/// The files that keep calls' output: a bounded number of segments, handed from calls that are done with
/// them to others, and the threads that write, sync and read them.
///
/// Why @unchecked Sendable: what changes is touched on the broker's loop only, or, before that runs, by
/// whoever makes it.
package final class SpoolStore: @unchecked Sendable {
  let disk: SpoolDisk
  let options: SpoolOptions
  private let state: StateFolder
  private let workers: WorkerPool
  private var random = SecureRandom.Generator()
  /// Files that nobody uses.
  private var free: [Free] = []
  /// Numbers that stand for no file.
  private var vacant: [Int] = []
  private var lastSlot = 0
  private var used = 0
  /// On their way to the workers and back.
  private(set) var jobs = 0
  /// Calls that have ended, oldest first; their output goes when others need the room.
  private var ended = Fifo<Call>()
  /// Calls that wait for room.
  private var stalled: [ObjectIdentifier: Call] = [:]
  private var isWaking = false
  private(set) var counters = SpoolCounters()

  struct Free {
    let slot: Int
    /// Whose chat's output it holds still; nil: nobody knows. Empty: of no chat.
    let chat: String?
  }

  /// Makes the folder where it is missing.
  ///
  /// - Throws: when that cannot be.
  package init(in state: StateFolder, _ options: SpoolOptions = SpoolOptions()) throws(HostError) {
    try state.makeFolder(SpoolDisk.folder)
    self.state = state
    self.options = options
    disk = SpoolDisk(path: state.path(of: SpoolDisk.folder), segmentBytes: options.segmentBytes)
    workers = WorkerPool(name: "spool", threads: options.threads, maxQueued: 65_536)
  }

  func makeLog(window: Int) -> CallLog {
    CallLog(
      window: window,
      spool: CallSpool(segmentBytes: options.segmentBytes, quota: options.callBytes)
    )
  }

  func nonce() -> UInt64 { random.next() }

  // MARK: Segments

  private var maxSegments: Int { max(2, options.allBytes / options.segmentBytes) }

  /// A file for a call's next segment; nil when there is none. `chat`: whose output it may hold already.
  func take(for chat: String) -> (slot: Int, wipes: Bool)? {
    if used >= maxSegments { evict() }
    guard used < maxSegments else { return nil }
    used += 1
    if let last = free.popLast() {
      return (last.slot, wipes: last.chat.map { !$0.isEmpty && $0 != chat } ?? true)
    }
    if let slot = vacant.popLast() { return (slot, wipes: false) }
    lastSlot += 1
    return (lastSlot, wipes: false)
  }

  /// A file that could not be made.
  func giveBack(_ slot: Int) {
    used -= 1
    vacant.append(slot)
  }

  /// Segments of a call that nobody reads any more.
  func release(_ segments: [CallSpool.Segment], of chat: String) {
    used -= segments.count
    var surplus: [Int] = []
    for segment in segments {
      if free.count < options.freeSegments {
        free.append(Free(slot: segment.slot, chat: chat))
      } else {
        surplus.append(segment.slot)
      }
    }
    remove(surplus)
    if !segments.isEmpty { wakeStalled() }
  }

  private func remove(_ slots: [Int]) {
    guard !slots.isEmpty else { return }
    let disk = disk
    // Another file of this name is made only once this one is gone.
    run({ disk.remove(slots) }) { [weak self] _ in self?.vacant += slots }
  }

  /// Overwrites segments before anybody else has them, and those that are free and hold output of the
  /// chat, or of nobody knows whom.
  func wipe(_ segments: [CallSpool.Segment], of chat: String, then: @escaping @Sendable () -> Void)
  {
    used -= segments.count
    let stale = free.filter { $0.chat == nil || $0.chat == chat }
    free.removeAll { $0.chat == nil || $0.chat == chat }
    let slots = segments.map(\.slot) + stale.map(\.slot)
    let disk = disk
    run({ disk.wipe(slots) }) { [weak self] _ in
      self?.free += slots.map { Free(slot: $0, chat: "") }
      self?.wakeStalled()
      then()
    }
  }

  func ended(_ call: Call) {
    while let oldest = ended.first, oldest.keeper?.hasSegments != true { ended.popFirst() }
    ended.append(call)
  }

  /// Takes the output of the call that ended longest ago.
  private func evict() {
    var busy: [Call] = []
    while used >= maxSegments, let oldest = ended.popFirst() {
      guard let keeper = oldest.keeper, keeper.hasSegments else { continue }
      guard keeper.isIdle else {
        busy.append(oldest)
        continue
      }
      counters.evicted += 1
      keeper.release()
    }
    for call in busy { ended.append(call) }
  }

  func waitsForRoom(_ call: Call) { stalled[ObjectIdentifier(call)] = call }

  func waitsNoMore(_ call: Call) { stalled[ObjectIdentifier(call)] = nil }

  /// In a turn of its own: whoever gave room may be about to take some.
  private func wakeStalled() {
    guard !stalled.isEmpty, !isWaking, let loop else { return }
    isWaking = true
    loop.execute {
      self.isWaking = false
      for call in self.stalled.values { call.keeper?.roomCame() }
    }
  }

  // MARK: Work

  func count(_ change: (inout SpoolCounters) -> Void) { change(&counters) }

  private var loop: EventLoop?

  /// Where all of it is told; once, before anything else.
  func attach(to loop: EventLoop) { self.loop = loop }

  /// Does something on a worker's thread, and tells the loop; nil: there was no room for it.
  func run<Value: Sendable>(
    _ body: @escaping @Sendable () -> Value,
    then: @escaping @Sendable (Value?) -> Void
  ) {
    guard let loop else { preconditionFailure("a spool without a loop") }
    jobs += 1
    do {
      try workers.submit {
        let value = body()
        loop.execute { self.done { then(value) } }
      }
    } catch {
      // In a turn of its own, as all answers come.
      loop.execute { self.done { then(nil) } }
    }
  }

  private func done(_ then: () -> Void) {
    then()
    jobs -= 1
  }

  // MARK: What an earlier plane left

  /// The files there are, by the calls that they name.
  package struct Found: Sendable {
    fileprivate let headers: [String: [SegmentFormat.Header]]
    fileprivate let others: [Int]

    package var calls: Set<String> { Set(headers.keys) }
  }

  /// Looks through the folder; once, before calls are kept. Blocks.
  package func scan() throws(HostError) -> Found {
    var headers: [String: [SegmentFormat.Header]] = [:]
    var others: [Int] = []
    for (slot, header) in try disk.scan(state) {
      lastSlot = max(lastSlot, slot)
      if let header {
        headers[header.call, default: []].append(header)
      } else {
        others.append(slot)
      }
    }
    return Found(headers: headers, others: others)
  }

  /// What is whole of a call's output. `isSettled`: the call has ended, and all of it was synced. Blocks.
  package func recover(_ call: String, in found: Found, isSettled: Bool) -> RecoveredSpool? {
    guard let headers = found.headers[call] else { return nil }
    let segments = disk.recover(headers.map(\.segment), isSettled: isSettled)
    return RecoveredSpool(segments: segments, chat: headers[0].chat)
  }

  /// The files of no call that is known, or no whole part of it, are free for others. Those of chats are
  /// removed: such a chat may be one that was erased.
  package func settle(_ found: Found, recovered: [RecoveredSpool]) {
    var taken = Set<Int>()
    for spool in recovered { taken.formUnion(spool.segments.map(\.slot)) }
    used = taken.count
    var slots = found.others.map { Free(slot: $0, chat: nil) }
    var stale: [Int] = []
    for header in found.headers.values.joined() where !taken.contains(header.segment.slot) {
      if header.chat.isEmpty {
        slots.append(Free(slot: header.segment.slot, chat: ""))
      } else {
        stale.append(header.segment.slot)
      }
    }
    free = Array(slots.prefix(options.freeSegments))
    disk.remove(stale + slots.dropFirst(options.freeSegments).map(\.slot))
    let kept = taken.union(free.map(\.slot))
    vacant = (1..<(lastSlot + 1)).filter { !kept.contains($0) }
  }
}

/// What was found of a call's output.
package struct RecoveredSpool: Sendable {
  let segments: [CallSpool.Segment]
  let chat: String

  /// Of each stream.
  var ends: Positions { segments.last?.ends ?? Positions() }
}

/// Bounds of what is kept on disk of calls' output.
package struct SpoolOptions: Sendable {
  /// Of each file, in bytes.
  package var segmentBytes = 1 << 20
  /// Of one call, and of all, in bytes on disk.
  package var callBytes = 256 << 20
  package var allBytes = 4 << 30
  /// Files that are kept for calls to come.
  package var freeSegments = 64
  /// A sync comes after so many bytes, or half of the daemon's ring where that is less, or so long after
  /// the first of them.
  package var syncBytes = 512 << 10
  package var syncDelay = Duration.milliseconds(100)
  /// After the disk had no room, before it is asked again.
  package var retryDelay = Duration.seconds(1)
  package var threads = 4

  package init() {}
}

/// What the spool has done since the plane's start.
package struct SpoolCounters: Sendable, Equatable {
  package internal(set) var writtenBytes: UInt64 = 0
  package internal(set) var syncs: UInt64 = 0
  package internal(set) var writeFailures: UInt64 = 0
  package internal(set) var syncFailures: UInt64 = 0
  package internal(set) var readFailures: UInt64 = 0
  /// Times that a call had to wait for room.
  package internal(set) var stalls: UInt64 = 0
  /// Output that quotas and full disks took.
  package internal(set) var droppedBytes: UInt64 = 0
  /// Ended calls whose output had to go for others'.
  package internal(set) var evicted: UInt64 = 0
}

/// The spool at one moment.
package struct SpoolStatistics: Sendable {
  package let counters: SpoolCounters
  package let segmentsUsed: Int
  package let segmentsFree: Int
  package let segmentBytes: Int
}

extension SpoolStore {
  var statistics: SpoolStatistics {
    SpoolStatistics(
      counters: counters,
      segmentsUsed: used,
      segmentsFree: free.count,
      segmentBytes: options.segmentBytes
    )
  }
}
