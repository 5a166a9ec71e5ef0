internal import Calls
internal import Crypto
internal import EventLoop
internal import RPC

/// The broker's state, and what streams and tasks do to it.
///
/// Why @unchecked Sendable: everything in it is touched on `loop` only. Streams' handlers are called
/// there, timers fire there, and the `Broker` actor runs there.
final class Switchboard: @unchecked Sendable {
  let loop: EventLoop
  let options: BrokerOptions
  let directory: any WorkspaceDirectory
  var budget: ByteBudget
  /// Large requests of calls that have not ended, by principal.
  var requests: ByteBudget
  /// Windows for input, by principal.
  var stdins: ByteBudget
  var links: [String: LinkSession] = [:]
  var calls: CallTable
  var sessions: [SessionKey: LinkSession] = [:]
  /// Of each workspace, the session that is to become its link.
  var unfinished: [String: LinkSession] = [:]
  var epochs: [String: SessionEpoch] = [:]
  /// How often each workspace may be linked, as `epochs`.
  var linkBuckets: [String: TokenBucket] = [:]
  var epochsToPrune = 64
  /// Open `Carry` streams of each workspace.
  var carries: [String: Int] = [:]
  /// See `BrokerStatistics`.
  var counters = BrokerCounters()
  var tallies: [String: Tally] = [:]
  var linkWaiters: [Int: LinkWaiter] = [:]
  var linkWaiterCount = 0
  var admission: Admission
  var random = SecureRandom.Generator()
  var isOffering = false
  var isDraining = false

  init(on loop: EventLoop, directory: any WorkspaceDirectory, options: BrokerOptions) {
    self.loop = loop
    self.directory = directory
    self.options = options
    budget = ByteBudget(
      inAll: options.windowBudget,
      perOwner: options.windowBudgetPerDaemon
    )
    requests = ByteBudget(
      inAll: options.requestBudget,
      perOwner: options.requestBudgetPerPrincipal
    )
    stdins = ByteBudget(
      inAll: options.requestBudget,
      perOwner: options.requestBudgetPerPrincipal
    )
    calls = CallTable(options)
    admission = Admission(limits: options.admission)
  }

  struct SessionKey: Hashable {
    let workspace: String
    let epoch: SessionEpoch
  }

  struct LinkWaiter {
    let workspace: String
    let wantsLink: Bool
    let continuation: CheckedContinuation<Void, Never>
  }
}
