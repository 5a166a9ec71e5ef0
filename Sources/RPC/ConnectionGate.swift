/// Which connections a listener takes, and which of those that are not open yet it gives up.
///
/// Bounds are per listener (`ListenerLimits`). Of handshakes the oldest is given up: an honest one ends
/// in a few round trips, so whoever floods the port loses its own.
struct ConnectionGate {
  private let limits: ListenerLimits
  private var count = 0
  private var byHost: [String: Int] = [:]
  private var byPrincipal: [String: Int] = [:]
  /// Whose each connection is, of those that are anybody's.
  private var principals: [ObjectIdentifier: String] = [:]
  /// Handshakes in the order in which they began; those that are over leave holes.
  private var handshakes: [ObjectIdentifier?] = []
  private var first = 0
  private var places: [ObjectIdentifier: Int] = [:]

  init(_ limits: ListenerLimits) { self.limits = limits }

  /// Whether one more from there may come.
  func refuses(_ host: String) -> PeerLimit? {
    if count >= limits.maxConnections { return .connections }
    if byHost[host, default: 0] >= limits.maxConnectionsPerAddress { return .connectionsOfAddress }
    return nil
  }

  /// - Returns: the one to give up for it.
  mutating func add(_ connection: ObjectIdentifier, from host: String) -> ObjectIdentifier? {
    count += 1
    byHost[host, default: 0] += 1
    places[connection] = first + handshakes.count
    handshakes.append(connection)
    guard places.count > limits.maxHandshakes else { return nil }
    while let oldest = handshakes.first {
      guard let oldest else {
        popHole()
        continue
      }
      return oldest
    }
    return nil
  }

  /// It turned out to be this principal's.
  ///
  /// - Returns: false when that is one too many; it is not counted as the principal's then.
  mutating func take(_ connection: ObjectIdentifier, of principal: String) -> Bool {
    guard byPrincipal[principal, default: 0] < limits.maxConnectionsPerPrincipal else {
      return false
    }
    byPrincipal[principal, default: 0] += 1
    principals[connection] = principal
    return true
  }

  /// Its handshake is over, well or not.
  mutating func handshakeEnded(_ connection: ObjectIdentifier) {
    guard let place = places.removeValue(forKey: connection) else { return }
    handshakes[place - first] = nil
    // Amortised: holes at the front are dropped once they are most of it.
    guard handshakes.count > 64, places.count * 2 < handshakes.count else { return }
    compact()
  }

  mutating func remove(_ connection: ObjectIdentifier, from host: String) {
    handshakeEnded(connection)
    count -= 1
    let left = byHost[host, default: 0] - 1
    byHost[host] = left > 0 ? left : nil
    guard let principal = principals.removeValue(forKey: connection) else { return }
    let others = byPrincipal[principal, default: 0] - 1
    byPrincipal[principal] = others > 0 ? others : nil
  }

  /// Places kept, holes too.
  var handshakeSlots: Int { handshakes.count }

  private mutating func popHole() {
    handshakes.removeFirst()
    first += 1
  }

  private mutating func compact() {
    handshakes.removeAll { $0 == nil }
    first = 0
    for (place, connection) in handshakes.enumerated() {
      if let connection { places[connection] = place }
    }
  }
}
