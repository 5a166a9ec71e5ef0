package import Broker
package import Identity

extension WorkspaceRegistry: WorkspaceDirectory {
  package func find(_ idOrName: String, for principal: Principal) -> WorkspaceEntry? {
    (try? record(idOrName, for: principal)).map(WorkspaceEntry.init)
  }

  package func workspace(id: String) -> WorkspaceEntry? { record(id).map(WorkspaceEntry.init) }
}

extension WorkspaceEntry {
  fileprivate init(_ record: WorkspaceRecord) {
    self.init(id: record.id, name: record.name, isStopped: record.isStopped)
  }
}
