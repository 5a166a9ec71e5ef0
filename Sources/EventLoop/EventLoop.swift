internal import CLinux
internal import Synchronization

/// What a loop calls when something happens to a descriptor. Called on the loop's thread only.
package protocol EventLoopHandler: AnyObject, Sendable {
  func ready(_ readiness: Readiness)
  /// Everything of this turn was delivered; asked for by `EventLoop.notifyAtTurnEnd`.
  func turnEnded()
}

/// What a descriptor is ready for, or what one waits for.
package struct Readiness: OptionSet, Sendable {
  package let rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let readable = Readiness(rawValue: EPOLLIN.rawValue)
  package static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
  /// The peer closed, or the descriptor failed. Always reported.
  package static let hangUp = Readiness(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)
}

/// A descriptor's place in a loop.
package struct Registration: Sendable, Hashable {
  fileprivate let slot: UInt32
  fileprivate let generation: UInt32
}

/// One thread that waits for descriptors, timers and jobs, and a serial executor for the actors
/// that live on it. A task that prefers it (`Task(executorPreference:)`) leaves it for no other thread.
///
/// One turn: wait, deliver readiness, run jobs, run due timers, then `turnEnded` for those who
/// asked. Methods that touch registrations and timers may be called on the loop's thread only.
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
  // Why @unchecked: `turn` is touched by the loop's thread alone (checked by `preconditionOnLoop`);
  // everything else is constant, atomic, or in the mutex.
  package let name: String
  private let epoll: Descriptor
  private let wakeUp: Descriptor
  private let mailbox = Mutex(Mailbox())
  private let threadID = Atomic<UInt>(0)
  private var turn = Turn()

  /// Makes a loop and starts its thread, which ends after `stop()`.
  package init(name: String) throws(SystemError) {
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll >= 0 else { throw SystemError("make an epoll instance") }
    self.epoll = Descriptor(owning: epoll)
    let wakeUp = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard wakeUp >= 0 else { throw SystemError("make an eventfd") }
    self.wakeUp = Descriptor(owning: wakeUp)
    self.name = name
    guard gh_epoll_ctl(epoll, EPOLL_CTL_ADD, wakeUp, EPOLLIN.rawValue, Self.wakeUpToken) == 0
    else { throw SystemError("watch an eventfd") }
    try Thread.start(named: name) { self.run() }
  }

  // MARK: Executor

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    deliver { $0.jobs.append(job) }
  }

  package func isIsolatingCurrentContext() -> Bool? { isCurrent }

  package func checkIsolated() { preconditionOnLoop() }

  /// The loop as an actor's executor. Safe, because such an actor keeps its loop.
  @safe package var executor: UnownedSerialExecutor { unsafe asUnownedSerialExecutor() }

  /// Whether the caller runs on this loop's thread.
  package var isCurrent: Bool { threadID.load(ordering: .relaxed) == Thread.currentID }

  package func preconditionOnLoop() {
    precondition(isCurrent, "touched from outside the loop '\(name)'")
  }

  /// Runs `body`, which captures nothing, on an actor of this loop, from the loop.
  ///
  /// As `assumeIsolated`, which makes of each closure one that may escape, in memory of its own: a tenth
  /// of a microsecond, twenty times for a relayed call.
  @inlinable @inline(__always) @safe
  package func run<Owner: Actor, Value, Result>(
    on owner: Owner,
    with value: Value,
    _ body: @escaping (isolated Owner, Value) -> Result
  ) -> Result {
    preconditionOnLoop()
    // In release builds it would cost as much as what this saves, though it looks at nothing.
    #if DEBUG
    owner.assertIsolated("lives on another loop than '\(name)'")
    #endif
    // Safe: isolation is no part of how a function is called, so both types are called alike, as the
    // standard library's own `assumeIsolated` relies on; and that this is the loop's thread was looked at.
    let body = unsafe unsafeBitCast(body, to: ((Owner, Value) -> Result).self)
    return body(owner, value)
  }

  /// Runs `action` on the loop: in its next turn, in the order of the calls.
  package func execute(_ action: @escaping @Sendable () -> Void) {
    deliver { $0.actions.append(action) }
  }

  /// Ends the loop after the current turn. Jobs queued later never run.
  package func stop() {
    deliver { $0.isStopping = true }
  }

  private func deliver(_ change: (inout Mailbox) -> Void) {
    let mustWake = mailbox.withLock { mailbox in
      change(&mailbox)
      defer { mailbox.isSignalled = true }
      return !mailbox.isSignalled
    }
    guard mustWake, !isCurrent else { return }
    _ = eventfd_write(wakeUp.number, 1)
  }

  // MARK: Descriptors

  /// Begins to watch `descriptor`, which must stay open until `deregister`.
  package func register(
    _ descriptor: Int32,
    for interest: Readiness,
    handler: any EventLoopHandler
  ) throws(SystemError) -> Registration {
    preconditionOnLoop()
    let registration = turn.insert(handler)
    guard
      gh_epoll_ctl(
        epoll.number,
        EPOLL_CTL_ADD,
        descriptor,
        interest.rawValue,
        registration.token
      ) == 0
    else {
      turn.remove(registration)
      throw SystemError("watch a descriptor")
    }
    return registration
  }

  package func update(_ registration: Registration, _ descriptor: Int32, for interest: Readiness) {
    preconditionOnLoop()
    _ = gh_epoll_ctl(
      epoll.number,
      EPOLL_CTL_MOD,
      descriptor,
      interest.rawValue,
      registration.token
    )
  }

  package func deregister(_ registration: Registration, _ descriptor: Int32) {
    preconditionOnLoop()
    _ = gh_epoll_ctl(epoll.number, EPOLL_CTL_DEL, descriptor, 0, 0)
    turn.remove(registration)
  }

  /// Calls `handler.turnEnded()` once, when this turn's events were delivered.
  package func notifyAtTurnEnd(_ handler: any EventLoopHandler) {
    preconditionOnLoop()
    turn.atEnd.append(handler)
  }

  /// A buffer of `scratchBytes` for one read, shared by all that live on the loop: nobody needs
  /// its own while idle. Give it back with `returnScratch`.
  package func takeScratch() -> [UInt8] {
    preconditionOnLoop()
    guard let buffer = turn.scratch.popLast() else {
      return [UInt8](repeating: 0, count: Self.scratchBytes)
    }
    return buffer
  }

  package func returnScratch(_ buffer: consuming [UInt8]) {
    preconditionOnLoop()
    turn.scratch.append(buffer)
  }

  /// An empty buffer with room, to gather what is to be written; shared like `takeScratch`. Give it
  /// back with `returnGatherBuffer`.
  package func takeGatherBuffer() -> [UInt8] {
    preconditionOnLoop()
    return turn.gatherBuffers.popLast() ?? []
  }

  package func returnGatherBuffer(_ buffer: consuming [UInt8]) {
    preconditionOnLoop()
    var buffer = buffer
    buffer.removeAll(keepingCapacity: true)
    turn.gatherBuffers.append(buffer)
  }

  /// Eight TLS records: one read empties a usual socket buffer, and it stays in the L2 cache.
  package static let scratchBytes = 128 * 1024

  // MARK: Timers

  /// Calls `action` on the loop's thread, once, at or after `deadline`.
  @discardableResult
  package func schedule(
    at deadline: ContinuousClock.Instant,
    _ action: @escaping @Sendable () -> Void
  ) -> LoopTimer {
    preconditionOnLoop()
    return turn.timers.insert(at: deadline, action)
  }

  /// Calls `action` on the loop's thread, once, after `delay`.
  @discardableResult
  package func schedule(
    after delay: Duration,
    _ action: @escaping @Sendable () -> Void
  ) -> LoopTimer {
    schedule(at: .now + delay, action)
  }

  /// Takes a timer back; nothing happens if it has fired.
  package func cancel(_ timer: LoopTimer) {
    preconditionOnLoop()
    turn.timers.remove(timer)
  }

  /// How long this loop's turns took, and how late they were.
  package var timing: LoopTiming {
    preconditionOnLoop()
    return turn.timing
  }

  // MARK: The thread

  private static let wakeUpToken = UInt64.max
  private static let eventsPerTurn = 256

  private func run() {
    threadID.store(Thread.currentID, ordering: .relaxed)
    var events = [gh_epoll_event](repeating: gh_epoll_event(), count: Self.eventsPerTurn)
    while true {
      let count = wait(&events)
      let awake = ContinuousClock.now
      turn.timing.woke(at: awake, due: turn.timers.nextDeadline)
      for index in 0..<count { dispatch(events[index]) }
      let stopping = runMailbox()
      for timer in turn.timers.popDue(at: .now) { turn.timers.take(timer)?() }
      while !turn.atEnd.isEmpty {
        let handlers = turn.takeAtEnd()
        for handler in handlers { handler.turnEnded() }
      }
      if stopping { return }
    }
  }

  private func wait(_ events: inout [gh_epoll_event]) -> Int {
    let isBusy = mailbox.withLock { $0.hasWork }
    let now = ContinuousClock.now
    turn.timing.turnEnded(at: now)
    let timeout = isBusy ? 0 : turn.timers.millisecondsToNext(from: now)
    let count = unsafe events.withUnsafeMutableBufferPointer { events in
      unsafe gh_epoll_wait(epoll.number, events.baseAddress, Int32(events.count), timeout)
    }
    return max(0, Int(count))  // below zero: EINTR, which is no news
  }

  private func dispatch(_ event: gh_epoll_event) {
    if event.token == Self.wakeUpToken {
      var value: UInt64 = 0
      _ = unsafe eventfd_read(wakeUp.number, &value)
      return
    }
    // A handler gone earlier in this turn has left its slot, or its generation.
    turn.handler(for: event.token)?.ready(Readiness(rawValue: event.events))
  }

  /// - Returns: whether the loop is to end.
  private func runMailbox() -> Bool {
    var work = mailbox.withLock { $0.take() }
    for job in work.jobs { unsafe job.runSynchronously(on: executor) }
    for action in work.actions { action() }
    work.jobs.removeAll(keepingCapacity: true)
    return work.isStopping
  }
}

/// What other threads, and the loop itself, hand to the loop.
private struct Mailbox {
  var jobs: [UnownedJob] = []
  var actions: [@Sendable () -> Void] = []
  var isSignalled = false
  var isStopping = false

  var hasWork: Bool { !jobs.isEmpty || !actions.isEmpty || isStopping }

  mutating func take() -> Mailbox {
    let taken = self
    jobs = []
    actions = []
    isSignalled = false
    return taken
  }
}

/// The state that only the loop's thread touches.
private struct Turn {
  private var slots: [Slot] = []
  private var free: [UInt32] = []
  var timers = TimerQueue()
  var timing = LoopTiming()
  var atEnd: [any EventLoopHandler] = []
  var scratch: [[UInt8]] = []
  var gatherBuffers: [[UInt8]] = []

  private struct Slot {
    var generation: UInt32
    var handler: (any EventLoopHandler)?
  }

  mutating func insert(_ handler: any EventLoopHandler) -> Registration {
    let slot = free.popLast() ?? UInt32(slots.count)
    if Int(slot) == slots.count { slots.append(Slot(generation: 0, handler: nil)) }
    slots[Int(slot)].handler = handler
    return Registration(slot: slot, generation: slots[Int(slot)].generation)
  }

  mutating func remove(_ registration: Registration) {
    let index = Int(registration.slot)
    guard slots[index].generation == registration.generation else { return }
    slots[index].handler = nil
    slots[index].generation &+= 1
    free.append(registration.slot)
  }

  func handler(for token: UInt64) -> (any EventLoopHandler)? {
    let slot = slots[Int(token & 0xffff_ffff)]
    return slot.generation == UInt32(token >> 32) ? slot.handler : nil
  }

  mutating func takeAtEnd() -> [any EventLoopHandler] {
    defer { atEnd = [] }
    return atEnd
  }
}

extension Registration {
  fileprivate var token: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}
