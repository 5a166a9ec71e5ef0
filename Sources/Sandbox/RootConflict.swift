/// Why a folder cannot be a workspace's root: the file tools would reach what commands are kept
/// from. Prints as a message for people.
package struct RootConflict: Error, Equatable, CustomStringConvertible {
  package enum Kind: Sendable { case isHidden, contains, liesIn, isKernels, isSystems }

  package let root: String
  package let hidden: String
  package let kind: Kind

  /// The first conflict of `root` with what is hidden, by real paths; `nil` when there is none.
  ///
  /// A root that `isMade`, by the plane for this workspace alone, may lie in a hidden folder.
  package init?(of root: String, hidden: [String], isMade: Bool = false) {
    let real = FileTree.realPath(root) ?? root
    for path in Self.kernels where real == path || (path != "/dev" && FileView.isBelow(real, path))
    {
      (self.root, self.hidden, self.kind) = (real, path, .isKernels)
      return
    }
    for path in FileView.realPaths(of: hidden) {
      guard let kind = Self.kind(real, path), !isMade || kind != .liesIn else { continue }
      (self.root, self.hidden, self.kind) = (real, path, kind)
      return
    }
    guard Self.systems.contains(real) else { return nil }
    (self.root, self.hidden, self.kind) = (real, real, .isSystems)
  }

  /// Not files but the machine and its processes; `/dev/shm` is memory like any other.
  private static let kernels = ["/dev", "/proc", "/sys"]

  /// What the machine runs from. Folders below may be somebody's work: `/usr/src`, `/etc/nixos`.
  private static let systems: Set = [
    "/bin", "/boot", "/etc", "/lib", "/lib64", "/run", "/sbin", "/usr", "/usr/bin", "/usr/lib",
    "/usr/lib64", "/usr/local", "/usr/sbin", "/var", "/var/lib",
  ]

  private static func kind(_ root: String, _ hidden: String) -> Kind? {
    if root == hidden { return .isHidden }
    if FileView.isBelow(hidden, root) { return .contains }
    return FileView.isBelow(root, hidden) ? .liesIn : nil
  }

  package var description: String {
    switch kind {
    case .isKernels:
      "the root '\(root)' is the kernel's, not a folder of files; name another folder"
    case .isSystems:
      "the root '\(root)' holds the system, not somebody's work; name a folder of the work alone"
    case .isHidden: "the root '\(root)' is kept from workspaces; name another folder"
    case .contains:
      "the root '\(root)' contains '\(hidden)', which is kept from workspaces; "
        + "name a folder that holds the work alone, for example one below it"
    case .liesIn:
      "the root '\(root)' lies in '\(hidden)', which is kept from workspaces; "
        + "name a folder outside of it"
    }
  }
}
