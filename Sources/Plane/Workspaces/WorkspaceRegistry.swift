internal import EventLoop
package import Identity
internal import Synchronization

/// The workspaces as all threads see them; what is changed here is on disk when a change returns.
package final class WorkspaceRegistry: Sendable {
  private let table: Mutex<WorkspaceTable>
  private let file: WorkspaceFile
  /// One thread: writes are in the order of the changes.
  private let disk: WorkerPool

  init(file: WorkspaceFile, disk: WorkerPool) throws(PlaneError) {
    table = Mutex(try file.read())
    self.file = file
    self.disk = disk
  }

  package func record(_ id: String) -> WorkspaceRecord? { table.withLock { $0[id] } }

  package var all: [WorkspaceRecord] { table.withLock { $0.all } }

  package func all(of principal: Principal) -> [WorkspaceRecord] {
    table.withLock { $0.all(of: principal) }
  }

  /// The workspace that `principal` means by an id, or by a name of its own.
  ///
  /// - Throws: `notFound`.
  package func record(
    _ reference: String,
    for principal: Principal
  ) throws(PlaneError) -> WorkspaceRecord {
    try table.withLock { (table) throws(PlaneError) in
      try table.find(reference, for: principal)
    }
  }

  /// Changes the table and writes it. What the disk refuses stays changed in memory.
  func change(
    _ body: (inout WorkspaceTable) throws(PlaneError) -> Void
  ) async throws(PlaneError) {
    try table.withLock { (table) throws(PlaneError) in try body(&table) }
    do {
      try await disk.run { try self.file.write(self.table.withLock { $0 }) }
    } catch let error as PlaneError {
      throw error
    } catch {
      throw PlaneError(.unavailable, "the plane's disk is busy; try again")
    }
  }

  func update(
    _ id: String,
    _ change: (inout WorkspaceRecord) -> Void
  ) async throws(PlaneError) {
    try await self.change { $0.update(id, change) }
  }
}
