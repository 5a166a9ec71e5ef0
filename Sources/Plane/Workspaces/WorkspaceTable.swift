internal import Identity

/// All workspaces, and whose they are.
struct WorkspaceTable: Sendable, Equatable {
  /// Most workspaces of one plane.
  static let maxRecords = 10_000

  private var records: [String: WorkspaceRecord] = [:]

  init(_ records: [WorkspaceRecord] = []) {
    for record in records { self.records[record.id] = record }
  }

  /// In the order they were made: ids sort by time.
  var all: [WorkspaceRecord] { records.values.sorted { $0.id < $1.id } }

  subscript(id: String) -> WorkspaceRecord? { records[id] }

  mutating func add(_ record: WorkspaceRecord) throws(PlaneError) {
    guard WorkspaceRecord.isName(record.name) else {
      throw PlaneError(
        .invalidArgument,
        "a workspace's name is 1 to 63 of a-z, 0-9 and '-', and does not begin with '-'"
      )
    }
    guard records.count < Self.maxRecords else {
      throw PlaneError(.resourceExhausted, "there are \(Self.maxRecords) workspaces; delete some")
    }
    let isTaken = records.values.contains { $0.owner == record.owner && $0.name == record.name }
    guard !isTaken else {
      throw PlaneError(
        .alreadyExists,
        "you have a workspace '\(record.name)'; delete it, or choose another name"
      )
    }
    records[record.id] = record
  }

  mutating func remove(_ id: String) { records[id] = nil }

  /// Changes a record that is still there.
  mutating func update(_ id: String, _ change: (inout WorkspaceRecord) -> Void) {
    guard var record = records[id] else { return }
    change(&record)
    records[id] = record
  }

  /// The workspace that `principal` means by an id, or by a name of its own.
  ///
  /// Somebody else's is as good as none: its existence is not told.
  func find(_ reference: String, for principal: Principal) throws(PlaneError) -> WorkspaceRecord {
    let owner = WorkspaceRecord.Owner(principal)
    if let record = records[reference], record.owner == owner { return record }
    let named = records.values.first { $0.owner == owner && $0.name == reference }
    guard let named else {
      throw PlaneError(
        .notFound,
        "you have no workspace '\(reference)'; see: gatehouse workspace list"
      )
    }
    return named
  }

  func all(of principal: Principal) -> [WorkspaceRecord] {
    let owner = WorkspaceRecord.Owner(principal)
    return all.filter { $0.owner == owner }
  }
}
