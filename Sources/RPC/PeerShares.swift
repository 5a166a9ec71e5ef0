/// What the connections of a listener hold for their peers, in bytes: for each peer, and in all.
///
/// A peer is a principal; where a listener knows none, an address. Bounds for one connection are
/// `ConnectionLimits`; these are for someone with many, and for many together.
///
/// Why @unchecked Sendable: touched on the listener's loop only, as its connections are.
final class PeerShares: @unchecked Sendable {
  private let limits: ListenerLimits
  private var shares: [String: PeerShare] = [:]
  fileprivate(set) var total = Held()

  init(_ limits: ListenerLimits) { self.limits = limits }

  /// Bytes that are held.
  struct Held: Equatable {
    /// Of messages that have not come whole, and of what calls keep until they are over.
    var partial = 0
    /// Of answers that wait to be read.
    var queued = 0

    static func += (sum: inout Held, right: Held) {
      sum.partial += right.partial
      sum.queued += right.queued
    }
  }

  /// Whose connections are open.
  var count: Int { shares.count }

  /// What a peer with one more connection holds; give it back with `leave`.
  func join(_ peer: String) -> PeerShare {
    let share = shares[peer] ?? PeerShare(of: peer, in: self)
    shares[peer] = share
    share.connections += 1
    return share
  }

  func leave(_ share: PeerShare) {
    share.connections -= 1
    if share.connections == 0 { shares[share.peer] = nil }
  }

  /// Which limit a peer's messages in part have passed, if any. Where all of them together are too many,
  /// it is for those to stop who hold more than their part.
  func partialLimit(for share: PeerShare) -> PeerLimit? {
    if share.held.partial > limits.maxPartialBytesPerPeer { return .partialBytesOfPeer }
    let isOver = total.partial > limits.maxPartialBytes
    return isOver && share.held.partial > limits.maxPartialBytes / count ? .partialBytes : nil
  }

  /// The same for one of the peer's connections, which holds `own` bytes: one that holds less than its part
  /// goes on, until the peer has twice what it may.
  func partialLimit(for share: PeerShare, holding own: Int) -> PeerLimit? {
    guard let limit = partialLimit(for: share) else { return nil }
    let most =
      limit == .partialBytesOfPeer
      ? limits.maxPartialBytesPerPeer : limits.maxPartialBytes / count
    let isFar = share.held.partial > 2 * most
    return isFar || own >= most / share.connections ? limit : nil
  }

  /// The same of answers. From a quarter of them on no call is taken; `part`: 4 for that.
  func queuedLimit(for share: PeerShare, part: Int = 1) -> PeerLimit? {
    if share.held.queued > limits.maxQueuedBytesPerPeer / part { return .queuedBytesOfPeer }
    let most = limits.maxQueuedBytes / part
    return total.queued > most && share.held.queued > most / count ? .queuedBytesInAll : nil
  }
}

/// What one peer's connections hold together.
///
/// Why @unchecked Sendable: as `PeerShares`.
final class PeerShare: @unchecked Sendable {
  let peer: String
  let shares: PeerShares
  fileprivate(set) var held = PeerShares.Held()
  fileprivate(set) var connections = 0

  fileprivate init(of peer: String, in shares: PeerShares) {
    self.peer = peer
    self.shares = shares
  }

  func hold(partial: Int = 0, queued: Int = 0) {
    let change = PeerShares.Held(partial: partial, queued: queued)
    held += change
    shares.total += change
  }
}
