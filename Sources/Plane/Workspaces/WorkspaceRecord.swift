internal import Identity
package import Host

/// What the plane keeps of a workspace, as it stands in `workspaces.json`.
package struct WorkspaceRecord: Sendable, Equatable {
  package let id: String
  /// Unique to its owner; `[a-z0-9][a-z0-9-]{0,62}`.
  package let name: String
  package let owner: Owner
  /// Of a local one.
  package var local: Local?
  /// Its owner wants no daemon linked.
  package var isStopped = false
  package var hasLinked = false

  /// A name from another issuer is someone else, so both bind.
  package struct Owner: Sendable, Hashable, Codable {
    package let id: String
    package let issuerPin: String

    init(_ principal: Principal) {
      id = principal.id.description
      issuerPin = principal.issuerPin
    }
  }

  /// A workspace on the plane's own machine.
  package struct Local: Sendable, Equatable {
    /// Absolute.
    package let root: String
    /// The plane made the root, and removes it with the workspace.
    package let ownsRoot: Bool
    package var daemon: DetachedProcess?
    /// Where the daemon was told that the plane is; one told another place is started anew.
    package var planeAddress: String?
  }

  package static func isName(_ name: String) -> Bool {
    guard (1...63).contains(name.utf8.count), name.utf8.first != UInt8(ascii: "-") else {
      return false
    }
    return name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"):
        true
      default: false
      }
    }
  }
}
