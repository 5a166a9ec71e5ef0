internal import Calls
internal import EventLoop
internal import RPC

/// One connection to the plane with its `Connect` stream. A daemon has one, and for a while two,
/// when the next is made before the last is given up.
final class Link {
  let number: Int
  let connection: Connection
  let connect: ClientCall
  let openedAt = ContinuousClock.now
  /// Set by `Welcome`.
  var epoch: SessionEpoch?
  var liveness = Liveness(now: .now)
  var heartbeatTimer: LoopTimer?
  /// Nothing new comes on it: a later link has taken its place, or the plane asked.
  var isRetiring = false

  init(number: Int, connection: Connection, connect: ClientCall) {
    self.number = number
    self.connection = connection
    self.connect = connect
  }
}

/// The methods of `gatehouse.link.v1.Link`.
enum LinkMethod {
  static let connect = "/gatehouse.link.v1.Link/Connect"
  static let carry = "/gatehouse.link.v1.Link/Carry"
  static let renew = "/gatehouse.link.v1.Link/Renew"
}
