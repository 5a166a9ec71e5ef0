/// The calls a daemon knows, and those it must not start any more.
///
/// A call id is started once, whatever the plane repeats: ids that are gone leave a tombstone.
package struct DaemonCalls: Sendable {
  /// Ids that are remembered after their call is gone. An offer is repeated within one link's
  /// life, so these need to outlast only what can be under way.
  package static let tombstones = 4096

  private var calls: [String: DaemonCall] = [:]
  private var graves: [String: Grave] = [:]
  private var graveOrder = Fifo<String>()
  private let maxCalls: Int

  /// - Parameter maxCalls: calls at once, as said in `Hello`; more are refused.
  package init(maxCalls: Int) { self.maxCalls = maxCalls }

  package subscript(id: String) -> DaemonCall? { calls[id] }

  /// What an inventory has to name: each call and whether it has ended.
  package var inventory: [(id: String, isEnded: Bool)] {
    calls.map { (id: $0.key, isEnded: $0.value.isEnded) }
  }

  /// The calls to report as unclaimed behind an inventory: the plane may believe in a `Carry` whose
  /// connection only the daemon knows to be dead.
  package var unattached: [String] {
    calls.filter { !$0.value.isAttached }.map(\.key)
  }

  /// An offer; `isWhole` when the request came with it. A new call is journaled before the actions
  /// are done.
  package mutating func offer(
    _ id: String,
    _ ticket: Ticket,
    isWhole: Bool
  ) -> [DaemonCall.Action] {
    if calls[id] != nil { return handle(id, .granted(ticket)) }
    switch graves[id] {
    case .cancelled: return [.refuse(.cancelled)]
    case .finished: return []
    case nil: break
    }
    guard calls.count < maxCalls else { return [.refuse(.tooManyCalls)] }
    calls[id] = DaemonCall()
    return (isWhole ? handle(id, .requestWhole) : []) + handle(id, .granted(ticket))
  }

  /// Puts back a call found in the journal of an earlier run of the program, with the outcome if it
  /// has ended.
  package mutating func adopt(_ id: String, outcome: Outcome?) {
    var call = DaemonCall()
    _ = call.handle(.requestWhole)
    if let outcome { _ = call.handle(.toolEnded(outcome)) }
    calls[id] = call
  }

  /// Anything else that happens to a call. Of one that is not known, only a cancel leaves a trace.
  package mutating func handle(_ id: String, _ event: DaemonCall.Event) -> [DaemonCall.Action] {
    guard calls[id] != nil else {
      if case .cancel = event, graves[id] == nil { bury(id, .cancelled) }
      return []
    }
    let actions = calls[id]?.handle(event) ?? []
    if calls[id]?.state == .gone {
      calls[id] = nil
      bury(id, .finished)
    }
    return actions
  }

  private mutating func bury(_ id: String, _ grave: Grave) {
    graves[id] = grave
    graveOrder.append(id)
    guard graveOrder.count > Self.tombstones, let oldest = graveOrder.popFirst() else { return }
    graves[oldest] = nil
  }

  private enum Grave {
    /// Cancelled before it was known: nothing was started.
    case cancelled
    /// It was here, and the plane knows how it ended.
    case finished
  }
}
