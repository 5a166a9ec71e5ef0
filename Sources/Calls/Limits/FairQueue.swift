/// Calls that wait for one daemon: each principal's in order, the principals in turn.
struct FairQueue {
  private var calls: [String: Fifo<String>] = [:]
  private var turns = Fifo<String>()
  private(set) var count = 0

  mutating func append(_ call: String, of principal: String) {
    if calls[principal] == nil { turns.append(principal) }
    calls[principal, default: Fifo()].append(call)
    count += 1
  }

  mutating func popNext() -> String? {
    guard let principal = turns.popFirst(), let call = calls[principal]?.popFirst() else {
      return nil
    }
    count -= 1
    if calls[principal]?.isEmpty == true {
      calls[principal] = nil
    } else {
      turns.append(principal)
    }
    return call
  }

  /// Takes out one call that will not be offered; O(n) in its principal's calls.
  mutating func remove(_ call: String, of principal: String) {
    guard var waiting = calls[principal] else { return }
    let before = waiting.count
    waiting.removeAll { $0 == call }
    count -= before - waiting.count
    calls[principal] = waiting.isEmpty ? nil : waiting
    if waiting.isEmpty { turns.removeAll { $0 == principal } }
  }
}
