import Calls
import TestSupport
import Testing

/// What of a call a plane keeps beyond its own life, and what the next one makes of it.
extension PlaneSide {
  struct Records {
    /// The daemon's run that may have been offered it.
    var instance: InstanceID?
    var isStarted = false
    /// How it ended, once that is kept.
    var end: Outcome?
  }

  /// Its end is durable; until then no daemon may forget it.
  mutating func keepEnd(_ id: String) {
    guard let end = calls[id]?.end, calls[id]?.records.end == nil else { return }
    calls[id]?.records.end = end.outcome
    letGo(id)
  }

  mutating func end(_ id: String, _ outcome: Outcome, _ reason: BrokerCall.Reason) {
    guard let recorded = calls[id]?.records.end else {
      calls[id]?.end = (outcome, reason)
      return
    }
    // It had ended; only its output could come again, and did or did not.
    if reason == .reported { #expect(outcome == recorded) }
    calls[id]?.end = (recorded, .reported)
    calls[id]?.isCut = reason != .reported
    letGo(id)
  }

  /// The daemon may forget it when its end is kept and its owner has all of it.
  mutating func letGo(_ id: String) {
    guard var call = calls[id], call.end != nil, call.records.end != nil, !call.isLetGo else {
      return
    }
    var cursor = call.cursor
    guard call.log.read(&cursor) == nil else { return }
    call.isLetGo = true
    call.exitCarry?.down.send(.done)
    call.exitCarry?.up.abandon()
    call.exitCarry?.down.finish()
    call.exitCarry = nil
    if call.wantsForget { link?.wire.toDaemon.send(.forget(id)) }
    calls[id] = call
    admission.ended(id)
    offerNext()
  }

  /// The program is killed, and another one takes over what its records say. Of what was not waited
  /// for, the newest records may be missing.
  mutating func restart() {
    link?.wire.abandonByPlane(&random)
    link = nil
    admission = NamedAdmission()
    for id in calls.keys.sorted() {
      guard let old = calls[id], !old.isLetGo else { continue }
      // One that was turned down before it was sent anywhere is known to no daemon.
      guard old.end == nil || old.exitCarry != nil || old.end?.reason == .reported else { continue }
      calls[id] = inherit(old)
      admission.adopt(id, in: "w")
    }
  }

  private mutating func inherit(_ old: PlaneCall) -> PlaneCall {
    var timing = BrokerCall.Timing()
    timing.stranded = .seconds(10)
    let isStarted = old.records.isStarted && (old.records.end != nil || Bool.random(using: &random))
    var call = PlaneCall(
      machine: BrokerCall(
        inheritedFrom: old.records.instance,
        wasKnown: isStarted,
        isCancelled: old.machine.isCancelled && Bool.random(using: &random),
        deadline: old.deadline,
        timing: timing,
        now: now
      ),
      deadline: old.deadline
    )
    call.records = old.records
    call.records.isStarted = isStarted
    call.ownerHas = old.ownerHas
    var positions = Positions()
    positions[.stdout] = old.ownerHas
    call.cursor = CallLog.Cursor(from: positions)
    call.stdin = .inherited
    call.inputEnd = old.inputEnd
    call.inputTaken = max(old.inputTaken, min(old.stdin.acknowledged, old.inputEnd))
    call.unsentInput = call.inputTaken..<call.inputEnd
    return call
  }

  /// The owner comes back: it sends again what the tool has not taken, for all it knows.
  mutating func rejoin(_ id: String) throws {
    guard let input = calls[id]?.unsentInput else { return }
    calls[id]?.unsentInput = nil
    var offset = input.lowerBound
    while offset < input.upperBound {
      let count = min(40, Int(input.upperBound - offset))
      try send(id, from: offset, count: count)
      offset += UInt64(count)
    }
  }
}
