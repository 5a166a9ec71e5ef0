internal import Host
internal import Ledger
internal import Logging

/// A workspace's name is taken before its making is recorded, and the plane may end between the two.
extension Workspaces {
  /// Removes workspaces of which the ledger knows nothing and nobody was told. One that was used all the
  /// same gets its record now.
  func settle() async {
    for record in registry.all where busy.insert(record.id).inserted {
      defer { busy.remove(record.id) }
      guard (try? await isRecorded(record.id)) == false else { continue }
      guard record.hasLinked || record.local != nil else {
        Plane.log.notice("workspace_not_made", metadata: ["workspace": "\(record.id)"])
        await abandon(record.id)
        continue
      }
      recorder.record { [recorder] in
        .changed(
          .workspaceCreated,
          record,
          by: recorder.plane,
          reason: "it was there, and no event said so"
        )
      }
    }
  }

  private func isRecorded(_ id: String) async throws -> Bool {
    var isFound = false
    let last = max(1, recorder.ledger.lastSequence)
    try await AuditReader(ledger: recorder.ledger).forwards(
      in: 1...last,
      by: [[.workspace(id)], [.kind(.workspaceCreated)]]
    ) { event in
      isFound = event.header.workspace == id && event.header.kind == .workspaceCreated
      return isFound ? .enough : .more
    }
    return isFound
  }
}
