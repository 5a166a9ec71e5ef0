internal import Calls
internal import EventLoop
internal import Identity
internal import Wire

/// One call in the plane: its machine, its logs, and who reads and carries it.
///
/// Why @unchecked Sendable: touched on the broker's loop only, as all of the `Switchboard`.
final class Call: @unchecked Sendable {
  let id: String
  let workspace: WorkspaceEntry
  private(set) var order: CallOrder
  let digest: [UInt8]
  let deadline: ContinuousClock.Instant
  /// Microseconds since 1970.
  let created: Int64
  let began: ContinuousClock.Instant

  var machine: BrokerCall
  var log: CallLog
  /// Has its output kept on disk; nil: nothing does.
  var keeper: CallKeeper?
  /// Its stream was cut because the plane ends.
  var isStopping = false
  /// Output that the daemon said is lost, which may be any number: it wraps. So do sums of it.
  var lostBytes: UInt64 = 0
  /// The most that was told of it.
  var counted = Traffic()
  var stdin = StdinLog()
  /// Of the daemon's budget, in bytes: what streams that have ended brought and nobody took.
  var retained = 0
  /// Of its principal's budget, in bytes: its request.
  var requestCharge = 0
  /// Of its principal's budget, in bytes: what its owner may write beyond each stream's first window.
  var stdinCharge = 0
  /// The stream that carries it now.
  var carry: CarryHandler?
  /// The stream of its owner; in-process owners and detached calls have none.
  var owner: InvokeHandler?
  var followers: [ObjectIdentifier: FollowHandler] = [:]
  /// Its owner's stream was cut, or the plane has started anew: the owner may come back.
  var awaitsOwner = false
  var ownerTimer: LoopTimer?
  /// An owner that is a task of this process.
  var hasLocalOwner = false
  /// Signals and sizes for a carry that is not there yet.
  var controls: [Gatehouse_Link_V1_CarryResponse] = []
  var timer: (at: ContinuousClock.Instant, timer: LoopTimer)?
  /// The daemon's `Refused`, or what it did that it may not.
  var refusal: Gatehouse_Tools_V1_ToolError?
  /// What it changed, in its daemon's words; nil: it did not say.
  var effects: Gatehouse_Tools_V1_Effects?
  /// Of the daemon's budget, in bytes: what these take beyond what each call has.
  var effectsCharge = 0
  /// The daemon's `Exit`.
  var reportedEnd: CallEnd?
  /// The daemon's, or one made here, when the call has ended.
  var end: CallEnd?
  var endReason: BrokerCall.Reason?
  /// The number of its intent's record; nil until that is kept. 0: nothing keeps records.
  var intent: UInt64?
  /// Its turn has come, and it waits for its record.
  var isAwaitingRecord = false
  /// The daemon's run that its records name as the one it is offered to.
  var instance: InstanceID?
  /// How it ended, as an earlier plane had it: only its output is missing, if its daemon still has it.
  var recordedEnd: Gatehouse_Tools_V1_Exit?
  /// As people are told: what is still awaited of its output is no part of it.
  var hasEnded: Bool { recordedEnd != nil || machine.isEnded }
  /// Its records say that a daemon has it.
  var isStarted = false
  /// Its chat was erased: of what it was asked and has answered nothing is told.
  private(set) var isErased = false
  /// It is recorded what became of it after it was given up.
  var isFound = false
  /// No such record is on its way.
  var isFoundKept = true
  /// Its end is recorded; its owner has all of it; the daemon may forget it.
  var isEndKept = false
  var isDelivered = false
  var isLetGo = false
  /// It was given up, so its daemon is to forget it as soon as that is recorded: nobody waits for more of
  /// its output.
  var isForgottenOnceKept = false
  /// The daemon has asked, in its way, to be told to forget it.
  var wantsForget = false
  /// The stream that brought its exit and waits for the plane's word that it has it.
  var exitCarry: CarryHandler?
  var holdTimer: LoopTimer?
  /// Its place in the `Admission`, until that has nothing more to do with it.
  var turn: Admission.Place?
  /// Its places in the `CallTable`.
  unowned var place: CallTable.Place?  // the table holds it
  var liveCalls: CallTable.LiveCalls?
  var liveIndex = 0
  private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
  private var waiterCount = 0
  /// Grows with each announcement: who looked before one does not wait behind it.
  private(set) var announcements = 0

  init(
    id: String,
    workspace: WorkspaceEntry,
    order: CallOrder,
    digest: [UInt8],
    deadline: ContinuousClock.Instant,
    created: Int64,
    began: ContinuousClock.Instant,
    options: BrokerOptions
  ) {
    self.id = id
    self.workspace = workspace
    self.order = order
    self.digest = digest
    self.deadline = deadline
    self.created = created
    self.began = began
    machine = BrokerCall(deadline: deadline, timing: options.timing)
    log = CallLog(window: options.logWindow)
  }

  var isEnded: Bool { end != nil }

  /// Something of its output is here, or its end is recorded.
  var hasAnswered: Bool { recordedEnd != nil || log.entryCount > 0 }

  /// Nobody will take its output for good; it goes on as if everyone had.
  var isOrphaned: Bool { owner == nil && !hasLocalOwner && !awaitsOwner }

  /// What it costs to keep, roughly, in bytes.
  var keptBytes: Int {
    // What is on disk leaves memory at the end.
    let output = keeper?.isKeeping == true ? 0 : log.heldMemory
    return output + order.request.count + (end?.message.count ?? 0) + 1024
  }

  /// Nothing of its output can be kept, and nobody takes it: its command waits, until it is cancelled.
  var waitsForRoom: Bool { keeper?.isStalled == true && isOrphaned && !isEnded }

  /// Has its output kept on disk, in a log of that kind.
  func keep(in store: SpoolStore, by board: Switchboard, _ log: CallLog) {
    self.log = log
    keeper = CallKeeper(board, store, self)
  }

  /// Nothing is told any more of what it was asked, once that is done, and of what it answers.
  func eraseAnswer() {
    isErased = true
    recordedEnd?.eraseContent()
    reportedEnd = reportedEnd?.erased
    guard isEnded else { return }
    end = end?.erased
    order.request = []
  }

  /// The next thing for a reader that can wait for the disk; nil when it has everything there is.
  func next(_ cursor: inout CallLog.Cursor) async -> CallLog.Item? {
    while true {
      switch log.next(&cursor) {
      case .item(let item): return item
      case .nothing: return nil
      case .onDisk(let place):
        guard let keeper else { return nil }
        let page = await withCheckedContinuation { continuation in
          keeper.read(place) { continuation.resume(returning: $0) }
        }
        cursor.take(page)
      }
    }
  }

  /// Reads for a reader's stream, which is told on the loop, if it is there still.
  func read(_ place: SpoolPlace, for reader: ObjectIdentifier) {
    keeper?.read(place) { page in
      if let owner = self.owner, ObjectIdentifier(owner) == reader {
        owner.fetched(page)
      } else {
        self.followers[reader]?.fetched(page)
      }
    }
  }

  /// Something can be read that could not be before: output, a state, the end.
  func announce() {
    owner?.pump()
    if !followers.isEmpty { for follower in followers.values { follower.pump() } }
    wakeWaiters()
  }

  /// A wait's number, for `news` and `wake`.
  func makeWaiter() -> Int {
    waiterCount += 1
    return waiterCount
  }

  /// Waits for the next announcement, or until the time is over. For actors on the loop: the compiler
  /// cannot see that a caller is none, so it is looked at.
  ///
  /// - Parameters:
  ///   - seen: the announcements there were when the caller looked; nil: it has just done so.
  ///   - time: nil for as long as it takes.
  ///   - loop: the broker's.
  ///   - waiter: of `makeWaiter`, for whoever may wake this wait alone.
  func news(
    after seen: Int? = nil,
    within time: Duration?,
    on loop: EventLoop,
    as waiter: Int? = nil
  ) async {
    var timer: LoopTimer?
    await withCheckedContinuation { continuation in
      loop.preconditionOnLoop()
      if let seen, seen != announcements { return continuation.resume() }
      let number = waiter ?? makeWaiter()
      waiters[number] = continuation
      timer = time.map { loop.schedule(after: $0) { self.wake(number) } }
    }
    if let timer { loop.cancel(timer) }
  }

  /// Ends one wait.
  func wake(_ waiter: Int) { waiters.removeValue(forKey: waiter)?.resume() }

  /// Has all waiting tasks look again.
  func wakeWaiters() {
    announcements &+= 1
    guard !waiters.isEmpty else { return }
    let woken = waiters
    waiters = [:]
    for waiter in woken.values { waiter.resume() }
  }
}
