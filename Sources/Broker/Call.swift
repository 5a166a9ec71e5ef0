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
  let order: CallOrder
  let digest: [UInt8]
  let deadline: ContinuousClock.Instant
  /// Microseconds since 1970.
  let created: Int64
  let began: ContinuousClock.Instant

  var machine: BrokerCall
  var log: CallLog
  /// Output that the daemon said is lost.
  var lostBytes: UInt64 = 0
  var stdin = StdinLog()
  /// The stream that carries it now.
  var carry: CarryHandler?
  /// The stream of its owner; in-process owners and detached calls have none.
  var owner: InvokeHandler?
  var followers: [ObjectIdentifier: FollowHandler] = [:]
  /// An owner that is a task of this process.
  var hasLocalOwner = false
  /// Signals and sizes for a carry that is not there yet.
  var controls: [Gatehouse_Link_V1_CarryResponse] = []
  var timer: (at: ContinuousClock.Instant, timer: LoopTimer)?
  /// The daemon's `Refused`, or what it did that it may not.
  var refusal: Gatehouse_Tools_V1_ToolError?
  /// The daemon's `Exit`.
  var reportedEnd: CallEnd?
  /// The daemon's, or one made here, when the call has ended.
  var end: CallEnd?
  var endReason: BrokerCall.Reason?
  /// Its places in the `CallTable`.
  unowned var place: CallTable.Place?  // the table holds it
  var liveCalls: CallTable.LiveCalls?
  private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
  private var waiterCount = 0

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

  /// Nobody will take its output for good; it goes on as if everyone had.
  var isOrphaned: Bool { owner == nil && !hasLocalOwner }

  /// What it costs to keep, roughly, in bytes.
  var keptBytes: Int { log.heldMemory + order.request.count + (end?.message.count ?? 0) + 1024 }

  /// Something can be read that could not be before: output, a state, the end.
  func announce() {
    owner?.pump()
    if !followers.isEmpty { for follower in followers.values { follower.pump() } }
    wakeWaiters()
  }

  /// Waits for the next announcement, or until the time is over. For actors on the loop.
  func news(within time: Duration?, on loop: EventLoop) async {
    var timer: LoopTimer?
    await withCheckedContinuation { continuation in
      waiterCount += 1
      let number = waiterCount
      waiters[number] = continuation
      timer = time.map { loop.schedule(after: $0) { self.wake(number) } }
    }
    if let timer { loop.cancel(timer) }
  }

  private func wake(_ waiter: Int) { waiters.removeValue(forKey: waiter)?.resume() }

  /// Has all waiting tasks look again.
  func wakeWaiters() {
    guard !waiters.isEmpty else { return }
    let woken = waiters
    waiters = [:]
    for waiter in woken.values { waiter.resume() }
  }
}
