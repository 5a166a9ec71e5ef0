/// Calls that wait for one daemon: each principal's in order, the principals in turn.
struct FairQueue {
  private var waiting: [String: Waiting] = [:]
  private var turns = Fifo<String>()
  private(set) var count = 0

  /// Whose calls wait.
  var principals: Int { waiting.count }

  func waiting(of principal: String) -> Int { waiting[principal]?.count ?? 0 }

  mutating func append(_ call: Admission.Place, of principal: String) {
    if waiting[principal] == nil { turns.append(principal) }
    waiting[principal, default: Waiting()].calls.append(call)
    count += 1
  }

  /// The next call of the principals that have less than `limit` by `counts`; the others keep their turns.
  mutating func popNext(
    ofThoseWithLessThan limit: Int,
    in counts: [String: Int]
  ) -> Admission.Place? {
    let index = (0..<turns.count).first { counts[turns[$0], default: 0] < limit }
    guard let index else { return nil }
    let principal = turns.remove(at: index)
    guard let call = waiting[principal]?.popNext() else { return nil }
    count -= 1
    if waiting[principal]?.count == 0 {
      waiting[principal] = nil
    } else {
      turns.append(principal)
    }
    return call
  }

  /// Takes out one call, which waits here and will not be offered.
  mutating func remove(_ call: Admission.Place, of principal: String) {
    guard waiting[principal] != nil else { return }
    waiting[principal]?.remove(call)
    count -= 1
    guard waiting[principal]?.count == 0 else { return }
    waiting[principal] = nil
    turns.removeAll { $0 == principal }
  }

  /// One principal's. What was taken out stays in its place until that is passed, or most are such:
  /// a client that goes away takes thousands with it at once.
  private struct Waiting {
    var calls = Fifo<Admission.Place>()
    private var gone = 0

    var count: Int { calls.count - gone }

    mutating func popNext() -> Admission.Place? {
      while let call = calls.popFirst() {
        if call.waits { return call }
        gone -= 1
      }
      return nil
    }

    mutating func remove(_ call: Admission.Place) {
      _ = call.leaveQueue()
      gone += 1
      guard gone > 64, gone > count else { return }
      calls.removeAll { !$0.waits }
      gone = 0
    }
  }
}
