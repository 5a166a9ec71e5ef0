package import Identity

/// What the broker asks of whoever keeps the workspaces. Called on the broker's loop, so it answers
/// at once.
package protocol WorkspaceDirectory: Sendable {
  /// The workspace that a caller means by an id, or by a name of its own; nil when there is none
  /// that the caller may use.
  func find(_ idOrName: String, for principal: Principal) -> WorkspaceEntry?
  /// The workspace with this id; nil when there is none, or no more.
  func workspace(id: String) -> WorkspaceEntry?
}

package struct WorkspaceEntry: Sendable, Equatable {
  package let id: String
  package let name: String
  /// Its owner wants nothing to run in it.
  package let isStopped: Bool

  package init(id: String, name: String, isStopped: Bool = false) {
    self.id = id
    self.name = name
    self.isStopped = isStopped
  }
}
