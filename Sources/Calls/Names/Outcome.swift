/// How a call ended. Different things, never guessed. Raw values are those of
/// `gatehouse.tools.v1.Outcome`.
package enum Outcome: UInt8, Sendable, CaseIterable {
  /// The tool ran to its end.
  case exited = 1
  /// The command died of a signal that this call did not order.
  case signalled = 2
  /// The command could not be started.
  case spawnFailed = 3
  /// The deadline passed; the tree of processes was killed and is gone.
  case timedOut = 4
  /// Cancelled on request, or by the workspace's own side, which says why. The tree of processes is
  /// gone.
  case cancelled = 5
  /// Nothing was started: by policy, admission or the daemon.
  case refused = 6
  /// Nobody can say whether it ran or how it ended.
  case lost = 7
}
