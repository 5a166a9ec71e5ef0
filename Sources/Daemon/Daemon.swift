internal import Calls
internal import Crypto
internal import DaemonWire
package import EventLoop
internal import LogLines
internal import RPC
internal import Sandbox

/// One workspace's daemon: links it to its plane and runs its calls.
///
/// All state is on one loop. What blocks (the journal, starting a supervisor, `files.*` tools) runs
/// on a pool of threads and comes back to the loop. What a call does next is decided by
/// `DaemonCalls`; here its actions are done. The extensions follow a call: `+Link`, `+Offers`,
/// `+Commands`, `+Pipes`, `+Carry`, `+Adoption`, and at the end `+Stop`.
package actor Daemon {
  package nonisolated let loop: EventLoop
  package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor }

  let options: DaemonOptions
  let log: Log
  /// For the `files.*` tools, which may take long.
  let pool: WorkerPool
  /// For the journal and the supervisors, which must not wait for those.
  let spawner: WorkerPool
  let state: SharedFolder
  let journal: SharedFolder
  let root: SharedRoot
  let tools: FileTools
  /// Finds out what commands change.
  let survey: Survey
  let place: CommandPlace
  let store: IdentityStore
  var instance: InstanceID

  var calls: DaemonCalls
  var live: [String: LiveCall] = [:]
  /// Supervisors that were let go, and are reaped once they have ended.
  var departing: Set<Int32> = []

  var identity: DaemonIdentity?
  var links: [Int: Link] = [:]
  /// The newest link that was welcomed.
  var current: Int?
  var linksMade = 0
  var backoff: Backoff
  /// The attempt to link that is under way. It ends by itself: connecting has time limits.
  var dialing: Task<Void, Never>?
  var redialTimer: LoopTimer?
  var renewalTimer: LoopTimer?

  var isStopping = false
  /// It stops for a successor, which takes the commands over.
  var isMakingWay = false
  var isSayingFarewell = false
  var whenStopped: (@Sendable (DaemonOptions.Problem?) -> Void)?

  /// Takes the state folder for itself and opens the root.
  ///
  /// - Throws: `DaemonOptions.Problem` when either cannot be had.
  package init(
    _ options: DaemonOptions,
    on loop: EventLoop,
    log: Log = .standardError()
  ) throws {
    self.options = options
    backoff = Backoff(longest: options.longestWait)
    self.loop = loop
    self.log = log
    let place = CommandPlace(
      state: options.state,
      root: options.root,
      hidden: options.hidden,
      account: .current,
      inherited: Account.environment
    )
    self.place = place
    let hidden = place.hidden
    if let conflict = RootConflict(of: options.root, hidden: hidden, isMade: options.ownsRoot) {
      throw DaemonOptions.Problem(conflict.description)
    }
    do {
      let state = SharedFolder(try StateFolder(options.state))
      guard state.folder.takeAlone() else {
        throw DaemonOptions.Problem("another daemon uses \(options.state); stop it first")
      }
      // For a plane that started this process, and was killed before it could write down which it is.
      try? state.folder.write("pid", Array("\(ThisProcess.id)\n".utf8))
      self.state = state
      journal = SharedFolder(try state.folder.folder("calls"))
      _ = try state.folder.folder(CommandPlace.scratchName)
      root = SharedRoot(try Root(options.root, hidden: hidden))
      let survey = Survey(root, state: self.state, limits: options.survey)
      self.survey = survey
      tools = FileTools(root: try Root(options.root, hidden: hidden)) { survey.note($0) }
    } catch let error as SystemError {
      throw DaemonOptions.Problem(error.description)
    }
    store = IdentityStore(folder: state)
    pool = WorkerPool(name: "tools", threads: 4)
    spawner = WorkerPool(name: "spawner", threads: 2)
    ThisProcess.ignoreBrokenPipes()
    instance = Self.takeInstance(self.state)
    calls = DaemonCalls(maxCalls: options.maxCalls)
  }

  /// Begins. Calls `whenStopped` once, on the loop: after `stop`, or with what made it impossible to
  /// go on.
  package nonisolated func start(
    whenStopped: @escaping @Sendable (DaemonOptions.Problem?) -> Void
  ) {
    loop.execute { self.assumeIsolated { $0.begin(whenStopped) } }
  }

  /// Ends as the daemon alone: commands go on, for a successor to take over within ten seconds.
  package nonisolated func makeWay() {
    loop.execute { self.assumeIsolated { $0.beginMakingWay() } }
  }

  /// Ends all calls, kills their trees, and tells the plane if it is linked.
  package nonisolated func stop() {
    loop.execute { self.assumeIsolated { $0.endAll() } }
  }

  private func begin(_ whenStopped: @escaping @Sendable (DaemonOptions.Problem?) -> Void) {
    self.whenStopped = whenStopped
    let sandbox = place.view == nil ? "none" : "landlock"
    log("started", ["version": DaemonOptions.version, "sandbox": sandbox, "root": options.root])
    // First: supervisors wait ten seconds, and to look through crowded folders takes some of them.
    adoptCalls()
    for (folder, names) in place.view?.crowdedFolders ?? [] {
      log(
        "names_out_of_reach",
        ["folder": folder, "names": "\(names)", "permitted": "\(FileView.maxNames)"],
        .warning
      )
    }
    identity = store.load()
    dial()
  }

  /// Runs `action` here later; for timers, handlers and threads of the pool.
  nonisolated func later(_ action: @escaping @Sendable (isolated Daemon) -> Void) {
    loop.execute { self.assumeIsolated(action) }
  }

  /// Runs `action` here at `deadline`.
  func schedule(
    at deadline: ContinuousClock.Instant,
    _ action: @escaping @Sendable (isolated Daemon) -> Void
  ) -> LoopTimer {
    loop.schedule(at: deadline) { [weak self] in self?.assumeIsolated(action) }
  }
}

/// A workspace's root with several holders.
final class SharedRoot: Sendable {
  let root: Root

  init(_ root: consuming Root) { self.root = root }
}
