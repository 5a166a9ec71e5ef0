package import Calls
package import Metrics
package import RPC

/// What the broker has done since its start: plain integers on its loop.
package struct BrokerCounters: Sendable {
  package fileprivate(set) var linksOpened: UInt64 = 0
  package fileprivate(set) var callsAccepted: UInt64 = 0
  /// By how they ended.
  package fileprivate(set) var callsEnded: [Outcome: UInt64] = [:]
  /// Turned down before there was a call, by status.
  package fileprivate(set) var callsRefused: [RPCStatus.Code: UInt64] = [:]
  /// Tickets that were wrong, late or somebody else's.
  package fileprivate(set) var ticketsRefused: UInt64 = 0
  /// From acceptance to the end.
  package fileprivate(set) var callTimes = DurationHistogram(smallest: .milliseconds(1), bounds: 20)
  /// Of calls that have ended; `Broker.statistics` adds those under way.
  package fileprivate(set) var traffic = Traffic()
}

/// Bytes of calls, counted when somebody asks from the positions that the calls keep anyway. Sums wrap: a
/// daemon may say that any number of bytes is lost.
package struct Traffic: Sendable, Equatable {
  package fileprivate(set) var calls: UInt64 = 0
  package fileprivate(set) var output: UInt64 = 0
  package fileprivate(set) var stdin: UInt64 = 0
  /// Output that the daemon said is lost.
  package fileprivate(set) var lost: UInt64 = 0

  package init() {}

  static func += (sum: inout Traffic, right: Traffic) {
    sum.calls += right.calls
    sum.output &+= right.output
    sum.stdin &+= right.stdin
    sum.lost &+= right.lost
  }

  static func + (left: Traffic, right: Traffic) -> Traffic {
    var sum = left
    sum += right
    return sum
  }

  /// What came since `base`, which was taken earlier.
  func since(_ base: Traffic) -> Traffic {
    var rest = self
    rest.calls -= min(base.calls, calls)
    rest.output -= min(base.output, output)
    rest.stdin -= min(base.stdin, stdin)
    rest.lost -= min(base.lost, lost)
    return rest
  }
}

/// The broker at one moment.
package struct BrokerStatistics: Sendable {
  package let counters: BrokerCounters
  package let links: Int
  /// Calls that have not ended, by state.
  package let calls: CallCounts
  /// Receive windows promised to daemons, in bytes, and how many may be.
  package let windowsPromised: Int
  package let windowBudget: Int
  /// Output of those calls in memory, and what credit is still out for: nobody has taken it.
  package let outputHeld: Int
  package let outputUntaken: Int
  package let carries: Int
  /// Idempotency keys that were let go before their time, since there were too many.
  package let keysDropped: UInt64
  /// Output kept on disk; nil: none is.
  package let spool: SpoolStatistics?
}

/// Calls that have not ended, by state.
package struct CallCounts: Sendable, Equatable {
  package fileprivate(set) var queued = 0
  package fileprivate(set) var offered = 0
  package fileprivate(set) var running = 0
  package fileprivate(set) var detached = 0

  package var all: Int { queued + offered + running + detached }

  fileprivate mutating func add(_ state: BrokerCall.State) {
    switch state {
    case .queued: queued += 1
    case .offered: offered += 1
    case .running: running += 1
    case .detached: detached += 1
    case .ended: break
    }
  }
}

extension CallCounts {
  init(_ calls: [Call]) {
    for call in calls where !call.hasEnded { add(call.machine.state) }
  }
}

extension Broker {
  package var statistics: BrokerStatistics {
    let live = board.calls.allLive
    var counters = board.counters
    counters.traffic = live.reduce(counters.traffic) { $0 + $1.countTraffic() }
    return BrokerStatistics(
      counters: counters,
      links: board.links.count,
      calls: CallCounts(live),
      windowsPromised: board.budget.promised,
      windowBudget: board.options.windowBudget,
      outputHeld: live.reduce(0) { $0 + $1.log.heldBytes },
      outputUntaken: live.reduce(0) { $0 + $1.log.untakenCost },
      carries: board.carryCount,
      keysDropped: board.calls.droppedKeys,
      spool: board.options.spool?.statistics
    )
  }
}

// Told by the switchboard; all of it is off the path of bytes.
extension BrokerCounters {
  mutating func linkOpened() { linksOpened += 1 }
  mutating func accepted() { callsAccepted += 1 }
  mutating func refused(_ status: RPCStatus) { callsRefused[status.code, default: 0] += 1 }
  mutating func ticketRefused() { ticketsRefused += 1 }

  mutating func ended(_ call: Traffic, _ outcome: Outcome, after time: Duration) {
    callsEnded[outcome, default: 0] += 1
    callTimes.observe(time)
    traffic += call
  }
}

extension Call {
  /// Its bytes so far.
  var traffic: Traffic {
    var traffic = Traffic()
    traffic.output = CallStream.outputs.reduce(0) { $0 &+ log.ends[$1] } &- lostBytes
    traffic.stdin = stdin.end
    traffic.lost = lostBytes
    return traffic
  }

  /// The same as a counter, which never falls: what was dropped, to come again, counts once, and what an
  /// earlier plane has counted not at all.
  func countTraffic() -> Traffic {
    guard recordedEnd == nil else { return Traffic() }
    let now = traffic
    counted.output = max(counted.output, now.output)
    counted.stdin = max(counted.stdin, now.stdin)
    counted.lost = max(counted.lost, now.lost)
    return counted
  }
}

extension Switchboard {
  /// The bytes and ended calls of a workspace since its link came up first; what is of interest is
  /// the difference between two of them.
  func traffic(of workspace: String) -> Traffic {
    let ended = tallies[workspace]?.ended ?? Traffic()
    return calls.live(in: workspace).reduce(ended) { $0 + $1.countTraffic() }
  }

  /// A call's bytes are its workspace's from here on. Nobody asks for those of one without a link.
  func settle(_ call: Call, _ outcome: Outcome) {
    var traffic = call.countTraffic()
    traffic.calls = 1
    counters.ended(traffic, outcome, after: .now - call.began)
    tallies[call.workspace.id]?.ended += traffic
  }
}

/// What the ended calls of a linked workspace have moved.
final class Tally {
  var ended = Traffic()
}
