/// What the workspaces' service asks of the broker.
struct WorkspaceLinks: Sendable {
  /// A daemon's link, as people are told of it.
  struct Link: Sendable {
    let daemonVersion: String
    let runningCalls: Int
    let tools: [String]
  }

  /// The live link of a workspace, by its id.
  let link: @Sendable (String) async -> Link?
  /// Waits until a workspace is linked; gives whether it came to that in time.
  let waitForLink: @Sendable (_ id: String, _ time: Duration) async -> Bool
  /// Ends a workspace's link and the connections it came by, with a reason for the daemon.
  let end: @Sendable (_ id: String, _ reason: String) async -> Void
}
