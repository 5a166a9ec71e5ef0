/// Receive windows promised to peers, in bytes: each daemon's within its own budget, all within the
/// process's. A promise is memory that the peer may fill at any time.
package struct WindowBudget: Sendable {
  package static let perDaemon = 64 * 1024 * 1024

  package private(set) var promised = 0

  private let perDaemon: Int
  private let inAll: Int
  private var shares: [String: Int] = [:]

  /// A budget of `inAll` bytes for the whole process.
  package init(inAll: Int, perDaemon: Int = perDaemon) {
    self.inAll = inAll
    self.perDaemon = perDaemon
  }

  /// What a daemon's share is now, in bytes.
  package func promised(to workspace: String) -> Int { shares[workspace] ?? 0 }

  /// Takes up to `bytes` for a daemon.
  ///
  /// - Returns: how much a window may be raised; 0 when the budget is used up.
  package mutating func take(_ bytes: Int, for workspace: String) -> Int {
    guard bytes > 0 else { return 0 }
    let share = shares[workspace, default: 0]
    let granted = max(0, min(bytes, perDaemon - share, inAll - promised))
    if granted > 0 { shares[workspace] = share + granted }
    promised += granted
    return granted
  }

  /// Gives back what was taken, once the stream has ended.
  package mutating func giveBack(_ bytes: Int, of workspace: String) {
    guard bytes != 0 else { return }
    let share = shares[workspace, default: 0] - bytes
    precondition(share >= 0, "workspace \(workspace) gives back \(bytes) bytes too many")
    shares[workspace] = share == 0 ? nil : share
    promised -= bytes
  }
}
