internal import Calls
internal import Crypto
internal import RPC

extension Broker {
  /// A workspace's link, as people are told of it.
  package struct Link: Sendable, Equatable {
    package let workspace: WorkspaceEntry
    package let epoch: UInt64
    /// 16 bytes.
    package let instance: [UInt8]
    /// Program and version, as the daemon says.
    package let daemonVersion: String
    package let peerAddress: String
    /// Microseconds since 1970.
    package let cameUp: Int64
    /// Seconds since 1970; nil: it showed no certificate.
    package let certificateExpires: Int64?
    /// The tools the daemon says it has, by name.
    package let tools: [String]
    package let maxCalls: Int
    package let calls: CallCounts
    /// Since the link came up.
    package let traffic: Traffic
    /// Receive windows promised, in bytes.
    package let windowBytes: Int
  }

  /// A workspace's calls that have not ended, linked or not.
  package func calls(in workspace: String) -> CallCounts {
    CallCounts(board.calls.live(in: workspace))
  }

  /// The live link of a workspace; nil while it has none.
  package func link(of workspace: String) -> Link? {
    guard let session = board.links[workspace] else { return nil }
    let certificate = session.peer.certificatesDER.first.flatMap { try? Certificate(der: $0) }
    return Link(
      workspace: session.workspace,
      epoch: session.epoch.number,
      instance: session.instance?.bytes ?? [],
      daemonVersion: session.version,
      peerAddress: session.peer.address,
      cameUp: session.cameUp.at,
      certificateExpires: certificate?.notAfter,
      // A feature's name has no dot, or another first part.
      tools: session.capabilities.filter { $0.hasPrefix("process.") || $0.hasPrefix("files.") },
      maxCalls: session.maxCalls,
      calls: calls(in: workspace),
      traffic: board.traffic(of: workspace).since(session.cameUp.base),
      windowBytes: board.budget.promised(to: workspace)
    )
  }
}
