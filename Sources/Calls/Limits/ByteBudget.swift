/// Bytes that others have us hold, or may at any time: each owner's within its own budget, all within the
/// process's. Of windows promised to daemons, and of requests of principals.
package struct ByteBudget: Sendable {
  package static let perDaemon = 64 * 1024 * 1024

  package private(set) var promised = 0

  private let perOwner: Int
  private let inAll: Int
  private var shares: [String: Int] = [:]

  /// A budget of `inAll` bytes for the whole process.
  package init(inAll: Int, perOwner: Int = perDaemon) {
    self.inAll = inAll
    self.perOwner = perOwner
  }

  /// What an owner's share is now, in bytes.
  package func promised(to owner: String) -> Int { shares[owner] ?? 0 }

  /// Takes all of `bytes` for an owner.
  ///
  /// - Returns: whether there was room; if not, nothing was taken.
  package mutating func takeAll(_ bytes: Int, for owner: String) -> Bool {
    let granted = take(bytes, for: owner)
    if granted < bytes { giveBack(granted, of: owner) }
    return granted == bytes
  }

  /// Takes up to `bytes` for an owner.
  ///
  /// - Returns: how much a window may be raised; 0 when the budget is used up.
  package mutating func take(_ bytes: Int, for owner: String) -> Int {
    guard bytes > 0 else { return 0 }
    let share = shares[owner, default: 0]
    let granted = max(0, min(bytes, perOwner - share, inAll - promised))
    if granted > 0 { shares[owner] = share + granted }
    promised += granted
    return granted
  }

  /// Gives back what was taken.
  package mutating func giveBack(_ bytes: Int, of owner: String) {
    guard bytes != 0 else { return }
    let share = shares[owner, default: 0] - bytes
    precondition(share >= 0, "\(owner) gives back \(bytes) bytes too many")
    shares[owner] = share == 0 ? nil : share
    promised -= bytes
  }
}
