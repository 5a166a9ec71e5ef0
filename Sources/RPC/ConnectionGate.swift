/// Which connections a listener takes, and which of those that are not open yet it gives up.
///
/// Bounds are per listener (`ListenerLimits`). Where a listener wants it, the oldest connection gives
/// way to a new one. Of handshakes the oldest is given up: an honest one ends
/// in a few round trips, so whoever floods the port loses its own.
struct ConnectionGate {
  private let limits: ListenerLimits
  private var count = 0
  private var byHost: [String: Int] = [:]
  private var byPrincipal: [String: Int] = [:]
  /// Whose each connection is, of those that are anybody's.
  private var principals: [ObjectIdentifier: String] = [:]
  private var handshakes = AgeQueue()
  /// All that nobody gave up yet, if the oldest is given up.
  private var ages = AgeQueue()

  init(_ limits: ListenerLimits) { self.limits = limits }

  /// Whether one more from there may come.
  func refuses(_ host: String) -> PeerLimit? {
    // Those that were given up have a moment to read why.
    let most = limits.maxConnections + (limits.givesUpOldest ? limits.maxHandshakes : 0)
    if count >= most { return .connections }
    if byHost[host, default: 0] >= limits.maxConnectionsPerAddress { return .connectionsOfAddress }
    return nil
  }

  /// - Returns: the handshake to give up for it.
  mutating func add(_ connection: ObjectIdentifier, from host: String) -> ObjectIdentifier? {
    count += 1
    byHost[host, default: 0] += 1
    if limits.givesUpOldest { ages.append(connection) }
    handshakes.append(connection)
    return handshakes.count > limits.maxHandshakes ? handshakes.oldest() : nil
  }

  /// - Returns: the one to give up because there are too many, once.
  mutating func takeOldest() -> ObjectIdentifier? {
    guard ages.count > limits.maxConnections, let oldest = ages.oldest() else { return nil }
    ages.remove(oldest)
    return oldest
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
  mutating func handshakeEnded(_ connection: ObjectIdentifier) { handshakes.remove(connection) }

  mutating func remove(_ connection: ObjectIdentifier, from host: String) {
    handshakes.remove(connection)
    ages.remove(connection)
    count -= 1
    let left = byHost[host, default: 0] - 1
    byHost[host] = left > 0 ? left : nil
    guard let principal = principals.removeValue(forKey: connection) else { return }
    let others = byPrincipal[principal, default: 0] - 1
    byPrincipal[principal] = others > 0 ? others : nil
  }

  /// Places kept, holes too.
  var handshakeSlots: Int { handshakes.slots }
}
