internal import DaemonWire
internal import EventLoop
internal import Sandbox
internal import Synchronization

/// Finds out what commands change below the root: looks at all of it before one begins and behind its
/// end.
///
/// One thread looks, and one look serves all that wait for one when it begins. While nobody waits it reads
/// small text files, so that a change of them can be shown.
final class Survey: Sendable {
  struct Limits: Sendable {
    var walk = SnapshotWalk.Limits()
    /// Files that are read before a command begins, if they have not been; others while it runs, where it
    /// may be faster.
    var readBefore = 256
    /// For reading what changed.
    var readTime: Duration = .milliseconds(500)
    /// Bytes of large files that are read for the digests of one command.
    var maxDigested: UInt64 = 128 << 20
    /// Bytes of small text files that are kept.
    var maxTexts = 64 << 20
  }

  /// How the root was when a command was about to begin.
  struct Baseline: Sendable {
    fileprivate let number: Int
    /// `nil`: nobody looked.
    fileprivate let snapshot: SharedSnapshot?
  }

  private enum Request {
    case before(Int, @Sendable (Baseline) -> Void)
    case after(Baseline, @Sendable (Effects) -> Void)

    var isBefore: Bool { if case .before = self { true } else { false } }
  }

  private struct Queue {
    var waiting: [Request] = []
    var isAtWork = false
  }

  private let pool: WorkerPool
  private let queue = Mutex(Queue())
  private let running = Mutex(RunningCommands())
  private let surveyor: Mutex<Surveyor>

  init(
    _ root: SharedRoot,
    state: SharedFolder,
    limits: Limits = Limits(),
    pool: WorkerPool = WorkerPool(name: "survey", threads: 1)
  ) {
    self.pool = pool
    surveyor = Mutex(Surveyor(root, state, limits))
  }

  /// Looks, then calls `then` on its own thread: the command may begin. Each is to be ended by `after` or
  /// `abandon`.
  func before(_ then: @escaping @Sendable (Baseline) -> Void) {
    ask(.before(running.withLock { $0.begin() }, then))
  }

  /// Looks behind a command's end, and says on its own thread what is not as it was.
  func after(_ baseline: Baseline, _ then: @escaping @Sendable (Effects) -> Void) {
    ask(.after(baseline, then))
  }

  /// The command did not begin.
  func abandon(_ baseline: Baseline) { _ = running.withLock { $0.end(baseline.number) } }

  /// Says that a file tool changed something just now.
  func note(_ change: ToolChange) { running.withLock { $0.note(change) } }

  /// Whether it looks, or reads.
  var isAtWork: Bool { queue.withLock(\.isAtWork) }

  /// Looks for the first time, before anybody waits for it.
  func prepare() { ask(nil) }

  /// What is said of a command of which nobody knows how the root was before it.
  static func unknown(_ reason: String) -> Effects {
    Effects(source: .scan, incomplete: [reason])
  }

  private func ask(_ request: Request?) {
    let isFirst = queue.withLock { queue in
      if let request { queue.waiting.append(request) }
      defer { queue.isAtWork = true }
      return !queue.isAtWork
    }
    guard isFirst else { return }
    do {
      try pool.submit { self.work() }
    } catch {
      // One piece of work at a time would be taken: its thread could not be started.
      giveUp()
    }
  }

  /// Nobody can look now, and no command is to wait for it.
  private func giveUp() {
    let requests = queue.withLock { queue in
      defer { queue = Queue() }
      return queue.waiting
    }
    for request in requests {
      switch request {
      case .before(let number, let then): then(Baseline(number: number, snapshot: nil))
      case .after(let baseline, let then):
        abandon(baseline)
        then(Self.unknown("nobody looked at the workspace after the command"))
      }
    }
  }

  private func work() {
    while true {
      let requests = queue.withLock { queue in
        defer { queue.waiting = [] }
        return queue.waiting
      }
      if !requests.isEmpty {
        answer(requests)
      } else if !surveyor.withLock({ $0.readSome() }), isDone() {
        return
      }
    }
  }

  private func isDone() -> Bool {
    queue.withLock { queue in
      guard queue.waiting.isEmpty else { return false }
      queue.isAtWork = false
      return true
    }
  }

  private func answer(_ requests: [Request]) {
    surveyor.withLock { surveyor in
      let snapshot = surveyor.look()
      for case .after(let baseline, let then) in requests {
        let (others, changes) = running.withLock { $0.end(baseline.number) }
        guard let before = baseline.snapshot else {
          then(Self.unknown("nobody looked at the workspace before the command"))
          continue
        }
        then(surveyor.effects(from: before.snapshot, to: snapshot.snapshot, changes, others))
      }
      // Once for all that wait: each has them read by then.
      if requests.contains(where: \.isBefore) { surveyor.readBefore() }
      for case .before(let number, let then) in requests {
        then(Baseline(number: number, snapshot: snapshot))
      }
      if running.withLock(\.isEmpty) { surveyor.clean() }
    }
  }
}
