internal import Ledger
internal import SwiftProtobuf
internal import Wire

extension RecordedEvent {
  /// What is done to a workspace.
  static func changed(
    _ kind: EventKind,
    _ record: WorkspaceRecord,
    root: String? = nil,
    by principal: EventPrincipal,
    reason: String = ""
  ) -> RecordedEvent {
    let change = Gatehouse_Ledger_V1_WorkspaceChanged.with {
      $0.name = record.name
      $0.local = record.local != nil || root != nil
      $0.root = record.local?.root ?? root ?? ""
      $0.reason = reason
    }
    return RecordedEvent(kind, by: principal, in: record.id) {
      switch kind {
      case .workspaceCreated: $0.workspaceCreated = change
      case .workspaceStarted: $0.workspaceStarted = change
      case .workspaceStopped: $0.workspaceStopped = change
      default: $0.workspaceDeleted = change
      }
    }
  }
}
