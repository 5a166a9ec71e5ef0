internal import FoundationEssentials
internal import Host

/// `workspaces.json` in the state folder.
struct WorkspaceFile: Sendable {
  static let name = "workspaces.json"

  let folder: StateFolder

  /// The table on disk; an empty one before the first write.
  ///
  /// - Throws: when the file cannot be read or is damaged.
  func read() throws(PlaneError) -> WorkspaceTable {
    do {
      guard let bytes = try folder.read(Self.name) else { return WorkspaceTable() }
      let content = try JSONDecoder().decode(Content.self, from: Data(bytes))
      guard content.version == 1 else {
        throw PlaneError(
          .internalError,
          "\(path) is of version \(content.version); use a newer gatehouse"
        )
      }
      return WorkspaceTable(content.workspaces.map(\.record))
    } catch let error as PlaneError {
      throw error
    } catch let error as HostError {
      throw PlaneError(.internalError, error.description)
    } catch {
      throw PlaneError(
        .internalError,
        "\(path) is damaged; restore it from a copy, or move it away to begin anew"
      )
    }
  }

  /// Blocks until the table is on disk.
  func write(_ table: WorkspaceTable) throws(PlaneError) {
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      let content = Content(version: 1, workspaces: table.all.map(Entry.init))
      try folder.write(Array(try encoder.encode(content)), to: Self.name)
    } catch {
      throw PlaneError(.internalError, "cannot write \(path): \(error)")
    }
  }

  private var path: String { folder.path(of: Self.name) }

  private struct Content: Codable {
    let version: Int
    let workspaces: [Entry]
  }

  /// A record's shape on disk; fields may be added, never renamed.
  private struct Entry: Codable {
    let id: String
    let name: String
    let owner: WorkspaceRecord.Owner
    let isStopped: Bool
    let hasLinked: Bool
    let root: String?
    let ownsRoot: Bool?
    let daemonPID: Int32?
    let daemonStartTime: UInt64?
    let planeAddress: String?

    init(_ record: WorkspaceRecord) {
      id = record.id
      name = record.name
      owner = record.owner
      isStopped = record.isStopped
      hasLinked = record.hasLinked
      root = record.local?.root
      ownsRoot = record.local?.ownsRoot
      daemonPID = record.local?.daemon?.pid
      daemonStartTime = record.local?.daemon?.startTime
      planeAddress = record.local?.planeAddress
    }

    var record: WorkspaceRecord {
      WorkspaceRecord(
        id: id,
        name: name,
        owner: owner,
        local: local,
        isStopped: isStopped,
        hasLinked: hasLinked
      )
    }

    private var local: WorkspaceRecord.Local? {
      guard let root else { return nil }
      var daemon: DetachedProcess?
      if let daemonPID, let daemonStartTime {
        daemon = DetachedProcess(pid: daemonPID, startTime: daemonStartTime)
      }
      return WorkspaceRecord.Local(
        root: root,
        ownsRoot: ownsRoot ?? false,
        daemon: daemon,
        planeAddress: planeAddress
      )
    }
  }
}
