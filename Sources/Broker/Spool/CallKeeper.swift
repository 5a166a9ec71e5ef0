internal import Calls
internal import EventLoop
internal import Host
internal import SwiftProtobuf
internal import Wire

/// Has one call's output kept on disk: hands over what came, gives credit for what is written, has it
/// synced at points, and says then that the daemon may forget it.
///
/// At most one write and one sync of a call are under way at a time, so that a slow disk is felt by its
/// calls only, and bounded by their windows.
///
/// Why @unchecked Sendable: as `Call`, it is touched on the broker's loop only.
final class CallKeeper: @unchecked Sendable {
  private enum Phase {
    case keeping
    /// The disk failed: what comes is `relay`.
    case failed
    /// Its output is gone.
    case released
  }

  private let board: Switchboard
  private let store: SpoolStore
  private unowned let call: Call  // the call holds it; jobs hold the call
  private let dropsOldest: Bool
  private let syncBytes: Int
  private var phase = Phase.keeping
  private var isWriting = false
  private var isSyncing = false
  /// The file of the last segment.
  private var file: SegmentFile?
  /// Written to since the last sync.
  private var dirty: [SegmentFile] = []
  private var unsynced = 0
  private var timer: LoopTimer?
  /// What came waits for room.
  private(set) var isStalled = false
  /// One line a call: at its quota this is as it should be.
  private var hasToldOfStall = false
  /// There was no room for another file: it is not asked for again before this is over.
  private var retry: LoopTimer?
  private var isEnded = false
  private var ending: (isDue: Bool, erased: [@Sendable () -> Void]) = (false, [])

  init(_ board: Switchboard, _ store: SpoolStore, _ call: Call) {
    self.board = board
    self.store = store
    self.call = call
    let rule = call.order.outputRule
    dropsOldest = rule.whenFull == .dropOldest
    // A daemon with a small ring must not wait for a sync that waits for more output.
    let ring = rule.ringBytes == 0 ? 1 << 20 : Int(rule.ringBytes)
    syncBytes = min(store.options.syncBytes, max(32 << 10, ring / 2))
  }

  /// The disk takes for good, not the owner.
  var isKeeping: Bool { phase == .keeping }

  var hasSegments: Bool { !(call.log.spool?.segments.isEmpty ?? true) }

  /// Nothing of it is on its way.
  var isIdle: Bool { !isWriting && !isSyncing }

  /// All output is on disk, or the disk is out of it.
  var isSettled: Bool { !isKeeping || call.log.isSynced }

  private var chat: String { call.order.origin?.chat ?? "" }

  /// Sees to what came.
  func pump() {
    guard isKeeping, !isWriting, call.log.hasMoreToHand else { return }
    guard call.log.nextFits else { return beginSegment() }
    write(isNew: false, wipes: false, before: call.log.spool, handed: call.log.handedEntries)
  }

  /// The call has ended: what is left of its output is synced, and its daemon told.
  func callEnded() {
    isEnded = true
    pump()
    sync()
    settle()
  }

  /// The owner has taken more.
  func ownerMoved() {
    guard isStalled else { return }
    pump()
  }

  // MARK: Writing

  private func beginSegment() {
    guard let earlier = call.log.spool else { return }
    let handed = call.log.handedEntries
    guard let (slot, wipes) = findSegment() else { return stall("it has no room") }
    file = nil
    call.log.openSegment(slot: slot, nonce: store.nonce())
    write(isNew: true, wipes: wipes, before: earlier, handed: handed)
  }

  private func findSegment() -> (slot: Int, wipes: Bool)? {
    if retry == nil, call.log.spool?.isFull == false, let taken = store.take(for: chat) {
      return taken
    }
    guard mayDropOldest, let oldest = call.log.dropOldest() else { return nil }
    store.count { $0.droppedBytes &+= UInt64(oldest.bytes) }
    // The same call's, so nothing of it has to be hidden.
    return (oldest.slot, wipes: false)
  }

  private func write(isNew: Bool, wipes: Bool, before earlier: CallSpool?, handed: Int) {
    guard let earlier, let placed = call.log.spool?.segments.last else { return }
    let records = call.log.handOver()
    guard let segment = call.log.spool?.segments.last, !records.isEmpty else { return }
    isWriting = true
    let batch = SpoolDisk.Batch(
      segment: segment,
      offset: placed.bytes,
      records: records,
      call: call.id,
      chat: chat,
      wipesRest: wipes,
      isNew: isNew,
      file: file
    )
    let disk = store.disk
    store.run({ disk.write(batch) }) { [call] result in
      call.keeper?.written(batch, result, before: earlier, handed: handed)
    }
  }

  private func written(
    _ batch: SpoolDisk.Batch,
    _ result: Result<SegmentFile, SpoolDisk.Failure>?,
    before earlier: CallSpool,
    handed: Int
  ) {
    isWriting = false
    switch result {
    case .success(let file):
      isStalled = false
      store.waitsNoMore(call)
      if self.file !== file || dirty.isEmpty { dirty.append(file) }
      self.file = file
      let bytes = batch.segment.bytes - batch.offset
      unsynced += bytes
      store.count { $0.writtenBytes &+= UInt64(bytes) }
      let credit = call.log.written(batch.segment.number, upTo: batch.segment.bytes)
      board.taken(credit, of: call, isOwner: false)
      guard !releaseIfDue() else { return }
      isEnded ? sync() : syncSoon()
      pump()
    case .failure(.failed(let error)):
      store.count { $0.writeFailures += 1 }
      call.log.takeBack(to: earlier, handed: handed)
      if batch.isNew, !earlier.uses(batch.segment.slot) {
        store.release([batch.segment], of: chat)
      }
      fail(error)
    case .failure(.noRoom(let error)): turnedDown(batch, error.description, earlier, handed)
    case nil: turnedDown(batch, "too much waits for the disk", earlier, handed)
    }
  }

  /// Nothing was done: it may go into what the call has, or waits.
  private func turnedDown(
    _ batch: SpoolDisk.Batch,
    _ reason: String,
    _ earlier: CallSpool,
    _ handed: Int
  ) {
    store.count { $0.writeFailures += 1 }
    call.log.takeBack(to: earlier, handed: handed)
    file = nil
    if batch.isNew, !earlier.uses(batch.segment.slot) { store.giveBack(batch.segment.slot) }
    guard !releaseIfDue(), isKeeping else { return }
    stall(reason)
  }

  // MARK: Full and failing disks

  /// It waits for room, by its rule: the daemon gets no credit, unless its owner takes output, or the
  /// oldest may go.
  private func stall(_ reason: String) {
    if !isStalled {
      isStalled = true
      store.count { $0.stalls += 1 }
      if !hasToldOfStall {
        board.options.observe?(.outputNotKept(call.id, "waits: \(reason)"))
      }
      hasToldOfStall = true
      if call.isOrphaned { call.announce() }
    }
    store.waitsForRoom(call)
    let isFirst = retry == nil
    if isFirst { armRetry() }
    // Its own oldest part may make room, where that may go.
    if isFirst, call.log.spool?.segments.isEmpty == false, mayDropOldest { return pump() }
    passOver(all: dropsOldest)
  }

  /// One that has ended goes beyond its quota only by its own; for room on the disk it waits, as long as
  /// its daemon has to.
  private var mayDropOldest: Bool {
    dropsOldest || call.log.ownerHasOldest || (isEnded && call.log.spool?.isFull == true)
  }

  /// Others gave segments back.
  func roomCame() {
    if let retry { board.loop.cancel(retry) }
    retry = nil
    pump()
  }

  private func armRetry() {
    let call = call
    retry = board.loop.schedule(after: store.options.retryDelay) {
      call.keeper?.retry = nil
      call.keeper?.pump()
    }
  }

  /// What nobody waits for goes on without having been kept.
  private func passOver(all: Bool) {
    guard isKeeping, !isWriting else { return }
    let (credit, bytes) = call.log.passOver(all: all)
    store.count { $0.droppedBytes &+= UInt64(bytes) }
    board.taken(credit, of: call, isOwner: false)
    guard call.log.taken != call.log.passed else { return settle() }
    isEnded ? sync() : syncSoon()
  }

  /// The disk can't be relied on for this call: its owner takes from here on.
  private func fail(_ error: HostError) {
    guard isKeeping else { return }
    phase = .failed
    isStalled = false
    store.waitsNoMore(call)
    (file, dirty) = (nil, [])
    cancelTimer()
    board.options.observe?(.outputNotKept(call.id, "failed: \(error.description)"))
    if releaseIfDue() { return }
    board.taken(call.log.stopKeeping(), of: call)
    if call.isOrphaned { board.takeAll(call) }
    call.announce()
    board.letGo(call)
  }

  /// The disk did not answer in time.
  func giveUp() { fail(HostError("the disk did not take its output in time")) }

  // MARK: Syncing

  private func syncSoon() {
    guard !isSyncing, isKeeping else { return }
    if unsynced >= syncBytes { return sync() }
    guard timer == nil else { return }
    let call = call
    timer = board.loop.schedule(after: store.options.syncDelay) {
      call.keeper?.timer = nil
      call.keeper?.sync()
    }
  }

  private func sync() {
    guard isKeeping, !isSyncing, call.log.taken != call.log.passed else { return }
    cancelTimer()
    let (mark, files) = (call.log.passed, dirty)
    dirty = []
    unsynced = 0
    isSyncing = true
    let disk = store.disk
    store.run({ disk.sync(files) }) { [call] result in
      call.keeper?.synced(before: mark, files, result)
    }
  }

  private func synced(
    before mark: Positions,
    _ files: [SegmentFile],
    _ result: Result<Void, HostError>?
  ) {
    isSyncing = false
    switch result {
    case .success:
      store.count { $0.syncs += 1 }
      call.log.synced(before: mark)
      guard !releaseIfDue() else { return }
      board.taken(0, of: call, isOwner: false)
      settle()
      if call.log.taken != call.log.passed { isEnded ? sync() : syncSoon() }
    case .failure(let error):
      store.count { $0.syncFailures += 1 }
      fail(error)
    case nil:
      dirty = files + dirty
      if !releaseIfDue() { syncSoon() }
    }
  }

  /// All of an ended call is on disk.
  private func settle() {
    guard isEnded, isKeeping, call.log.isSynced, !isWriting else { return }
    isStalled = false
    store.waitsNoMore(call)
    (file, dirty) = (nil, [])
    cancelTimer()
    call.log.closeWindow()
    board.letGo(call)
  }

  private func cancelTimer() {
    if let timer { board.loop.cancel(timer) }
    timer = nil
  }

  // MARK: The end

  /// Its segments are others' now, as soon as nothing of it is under way: for readers, output is lost.
  func release() {
    ending.isDue = true
    _ = releaseIfDue()
  }

  /// The same, in a turn of its own.
  func releaseSoon() {
    let call = call
    board.loop.execute { call.keeper?.release() }
  }

  /// The same, and nobody can read there what was. `then`: it is done.
  func erase(then: @escaping @Sendable () -> Void) {
    ending.isDue = true
    ending.erased.append(then)
    _ = releaseIfDue()
  }

  private func releaseIfDue() -> Bool {
    guard ending.isDue else { return false }
    guard isIdle else { return true }
    phase = .released
    isStalled = false
    store.waitsNoMore(call)
    (file, dirty) = (nil, [])
    cancelTimer()
    let erased = ending.erased
    ending = (false, [])
    board.taken(call.log.stopKeeping(), of: call)
    let segments = call.log.dropSpool()
    if !erased.isEmpty {
      store.wipe(segments, of: chat) { for then in erased { then() } }
    } else {
      store.release(segments, of: chat)
    }
    if call.isOrphaned { board.takeAll(call) }
    call.announce()
    board.letGo(call)
    return true
  }

  // MARK: Reading

  /// Reads at a place, and tells on the loop.
  func read(_ place: SpoolPlace, then: @escaping @Sendable (SpoolPage) -> Void) {
    let (disk, store) = (store.disk, store)
    store.run({ disk.read(place) }) { result in
      guard case .success(let page) = result else {
        store.count { $0.readFailures += 1 }
        return then(SpoolPage(place: place, records: [], next: nil))
      }
      if page.records.isEmpty { store.count { $0.readFailures += 1 } }
      then(page)
    }
  }
}

extension CallOrder {
  /// What its tool's request asks to be done with output that nobody took.
  var outputRule: Gatehouse_Tools_V1_OutputRule {
    let rule =
      switch tool {
      case "process.exec":
        (try? Gatehouse_Tools_V1_ExecRequest(serializedBytes: request))?.output
      case "process.shell":
        (try? Gatehouse_Tools_V1_ShellRequest(serializedBytes: request))?.output
      default: nil as Gatehouse_Tools_V1_OutputRule?
      }
    return rule ?? Gatehouse_Tools_V1_OutputRule()
  }
}
