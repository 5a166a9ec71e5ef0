extension Broker {
  /// A workspace's link, as people are told of it.
  package struct Link: Sendable, Equatable {
    /// Program and version, as the daemon says.
    package let daemonVersion: String
    /// The tools the daemon says it has, by name.
    package let tools: [String]
    package let runningCalls: Int
  }

  /// The live link of a workspace; nil while it has none.
  package func link(of workspace: String) -> Link? {
    guard let session = board.links[workspace] else { return nil }
    return Link(
      daemonVersion: session.version,
      // A feature's name has no dot, or another first part.
      tools: session.capabilities.filter { $0.hasPrefix("process.") || $0.hasPrefix("files.") },
      runningCalls: board.calls.live(in: workspace).count
    )
  }
}
