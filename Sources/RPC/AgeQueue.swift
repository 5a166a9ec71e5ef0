/// Connections in the order in which they came; any may leave.
struct AgeQueue {
  /// Those that left leave holes.
  private var queue: [ObjectIdentifier?] = []
  private var first = 0
  private var places: [ObjectIdentifier: Int] = [:]

  var count: Int { places.count }

  /// Places kept, holes too.
  var slots: Int { queue.count }

  mutating func append(_ connection: ObjectIdentifier) {
    places[connection] = first + queue.count
    queue.append(connection)
  }

  /// Does nothing for one that is not there.
  mutating func remove(_ connection: ObjectIdentifier) {
    guard let place = places.removeValue(forKey: connection) else { return }
    queue[place - first] = nil
    // Amortised: holes are dropped once they are most of it.
    guard queue.count > 64, places.count * 2 < queue.count else { return }
    compact()
  }

  mutating func oldest() -> ObjectIdentifier? {
    while let oldest = queue.first {
      if let oldest { return oldest }
      queue.removeFirst()
      first += 1
    }
    return nil
  }

  private mutating func compact() {
    queue.removeAll { $0 == nil }
    first = 0
    for (place, connection) in queue.enumerated() {
      if let connection { places[connection] = place }
    }
  }
}
