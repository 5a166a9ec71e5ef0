internal import Calls
internal import RPC
internal import SwiftProtobuf
internal import Wire

/// What daemons say that calls changed, from then to the calls' ends.
extension Switchboard {
  /// Every call has this much, in bytes, as every stream has its first window; the rest is the daemon's
  /// budget.
  private static let freeEffects = 64 * 1_024
  /// What a file costs in memory beside its bytes, roughly.
  private static let fileOverhead = 512

  /// Keeps it as far as it keeps to the rules and the daemon's budget has room: else without texts, or
  /// the number of files alone. The call's end does not depend on it. `count` is of the message's bytes.
  func keep(_ effects: Gatehouse_Tools_V1_Effects, ofBytes count: Int, of call: Call) {
    guard !call.isEnded else { return }
    dropEffects(of: call)
    let checked: Gatehouse_Tools_V1_Effects
    do {
      checked = try effects.checked(ofBytes: count)
    } catch {
      call.effects = .with {
        $0.source = effects.source
        $0.incomplete = ["not reported: \(error.message)"]
      }
      return
    }
    guard !charge(checked, ofBytes: count, to: call) else { return call.effects = checked }
    let short = checked.withoutTexts
    guard !charge(short, ofBytes: short.encoded.count, to: call) else {
      return call.effects = short
    }
    call.effects = .with {
      $0.source = checked.source
      $0.more = checked.more &+ UInt64(checked.files.count)
      $0.sharedWith = checked.sharedWith
      $0.incomplete = ["the plane had no room for what this workspace's calls changed"]
    }
  }

  func dropEffects(of call: Call) {
    budget.giveBack(call.effectsCharge, of: call.workspace.id)
    (call.effects, call.effectsCharge) = (nil, 0)
  }

  /// - Returns: whether there was room.
  private func charge(
    _ effects: Gatehouse_Tools_V1_Effects,
    ofBytes count: Int,
    to call: Call
  ) -> Bool {
    let cost = max(0, count + effects.files.count * Self.fileOverhead - Self.freeEffects)
    let granted = budget.take(cost, for: call.workspace.id)
    guard granted == cost else {
      budget.giveBack(granted, of: call.workspace.id)
      return false
    }
    call.effectsCharge = cost
    return true
  }
}
