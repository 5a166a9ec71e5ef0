/// Calls that wait for one daemon: each principal's in order, the principals in turn.
struct FairQueue {
  private var waiting: [String: Waiting] = [:]
  private var turns = Fifo<String>()
  private(set) var count = 0

  /// Whose calls wait.
  var principals: Int { waiting.count }

  func waiting(of principal: String) -> Int { waiting[principal]?.count ?? 0 }

  mutating func append(_ call: String, of principal: String) {
    if waiting[principal] == nil { turns.append(principal) }
    waiting[principal, default: Waiting()].calls.append(call)
    count += 1
  }

  mutating func popNext() -> String? {
    guard let principal = turns.popFirst(), let call = waiting[principal]?.popNext() else {
      return nil
    }
    count -= 1
    if waiting[principal]?.count == 0 {
      waiting[principal] = nil
    } else {
      turns.append(principal)
    }
    return call
  }

  /// Takes out one call, which waits here and will not be offered.
  mutating func remove(_ call: String, of principal: String) {
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
    var calls = Fifo<String>()
    private var gone: Set<String> = []

    var count: Int { calls.count - gone.count }

    mutating func popNext() -> String? {
      while let call = calls.popFirst() {
        if gone.remove(call) == nil { return call }
      }
      return nil
    }

    mutating func remove(_ call: String) {
      gone.insert(call)
      guard gone.count > 64, gone.count > count else { return }
      let taken = gone
      calls.removeAll { taken.contains($0) }
      gone = []
    }
  }
}
