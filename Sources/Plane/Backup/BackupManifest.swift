internal import FoundationEssentials
internal import Host

/// What a backup is: its `backup.json`.
package struct BackupManifest: Codable, Sendable, Equatable {
  static let newest = 1

  /// Of the layout.
  package let version: Int
  /// The version of gatehouse that made it.
  package let program: String
  /// Seconds since 1970.
  package let made: Int64
  /// Where the state folder was, and the checkpoints.
  package let stateFolder: String
  package let checkpointFile: String
  /// The ledger's name.
  package let origin: String
  /// The last event that is in it, and when that was in microseconds since 1970.
  package let lastEvent: UInt64
  package let lastEventTime: Int64
  /// The root of the ledger's tree over all of these, in hexadecimal.
  package let root: String
  /// SHA-256 of each file but the ledger, which vouches for itself, in hexadecimal.
  package let files: [String: String]

  /// As it is kept.
  package var json: [UInt8] {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return Array(try encoder.encode(self))
    }
  }

  /// Of the backup in a folder.
  ///
  /// - Throws: when there is none, or it is of a layout that is not known here.
  static func read(_ folder: StateFolder) throws -> BackupManifest {
    let path = folder.path(of: Backup.manifest)
    guard let bytes = try folder.read(Backup.manifest) else {
      throw PlaneError(.notFound, "there is no \(path); it is no backup, or not a whole one")
    }
    guard let manifest = try? JSONDecoder().decode(BackupManifest.self, from: Data(bytes)) else {
      throw PlaneError(.invalidArgument, "\(path) is damaged; use another backup")
    }
    guard manifest.version <= newest else {
      throw PlaneError(
        .invalidArgument,
        "\(path) is of version \(manifest.version); use the gatehouse that made it, "
          + "\(manifest.program), or a newer one"
      )
    }
    return manifest
  }
}
