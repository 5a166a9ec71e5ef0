package import Calls

/// Bounds and times of a broker; see design §4, "Numbers to start from".
package struct BrokerOptions: Sendable {
  /// Bytes of each call's output kept for followers after its owner took them.
  package var logWindow = 256 * 1024
  /// Receive windows promised to daemons, in all and to each.
  package var windowBudget = 512 * 1024 * 1024
  package var windowBudgetPerDaemon = ByteBudget.perDaemon
  /// Bytes of requests of calls that have not ended, in all and of each principal.
  package var requestBudget = 512 * 1024 * 1024
  package var requestBudgetPerPrincipal = 64 * 1024 * 1024
  /// A carry's window once its ticket was good, and once it has brought `bulkAfter` bytes.
  package var interactiveWindow = 256 * 1024
  package var bulkWindow = 2 * 1024 * 1024
  package var bulkAfter: UInt64 = 1024 * 1024
  /// Ended calls that can still be listed and read.
  package var endedCalls = 10_000
  package var endedBytes = 64 * 1024 * 1024
  /// Idempotency keys outlive their calls.
  package var idempotencyKeys = 100_000
  package var idempotencyTime = Duration.seconds(24 * 60 * 60)
  /// For an owner whose connection was cut to come back, and after the plane has started anew, unless it
  /// says for how long it tries to; the most that it may say.
  package var ownerGrace = Duration.seconds(10)
  package var ownerReturn = Duration.seconds(60)
  package var longestGrace = Duration.seconds(600)
  /// After a call's end, before its daemon may forget it although its owner does not take the rest.
  package var exitHold = Duration.seconds(30)
  /// Counts the plane's starts: session epochs of each lie above those before.
  package var life: UInt64 = 0
  package var carriesPerDaemon = 512
  /// The time of a call that names none; the longest where that is less.
  package var defaultTimeout = Duration.seconds(24 * 60 * 60)
  package var longestTimeout = Duration.seconds(24 * 60 * 60)
  package var heartbeat = Liveness.interval
  /// Links that a workspace's daemon may open at once, and then in each second: each is recorded for good.
  package var linkBurst: UInt64 = 30
  package var linkRate: UInt64 = 1
  /// From a daemon's `Connect` to its inventory's last page.
  package var inventoryTime = Duration.seconds(10)
  package var admission = Admission.Limits()
  package var timing = BrokerCall.Timing()

  /// Hears of what a log or ledger would record. Called on the broker's loop, so it only hands on.
  package var observe: (@Sendable (BrokerEvent) -> Void)?

  /// Keeps calls beyond the broker's life; nil: nothing does, and calls wait for no record.
  package var journal: (any CallJournal)?

  /// Keeps output of calls on disk; nil: nothing does, and `LOG_RULE_KEEP` is not to be had.
  package var spool: SpoolStore?

  package init() {}
}
