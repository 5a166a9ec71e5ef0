internal import CLinux
package import EventLoop

/// The kernel's confinement of file access, signals and abstract sockets (landlock(7)).
package enum Landlock {
  /// The kernel's interface version; 0 where it has no Landlock or does not use it.
  package static var version: Int { max(0, Int(gh_landlock_abi())) }

  /// What a confined command may do. It binds who enters it and all their descendants.
  package struct Ruleset {
    private let descriptor: SharedDescriptor
    private let handled: UInt64

    var number: Int32 { descriptor.number }

    /// A ruleset for `view`, with all that this kernel can confine.
    ///
    /// What does not exist is skipped: it is out of reach, and stays so once it exists.
    /// Signals and abstract sockets reach only what runs under the same ruleset.
    ///
    /// - Throws: `ENOSYS` or `EOPNOTSUPP` where there is no Landlock.
    package init(_ view: FileView) throws(SystemError) {
      let version = Landlock.version
      handled = Rights.handled(version)
      let number = gh_landlock_create(handled, version >= 6 ? Rights.scopes : 0)
      guard number >= 0 else { throw SystemError("make a Landlock ruleset") }
      descriptor = SharedDescriptor(Descriptor(owning: number))
      for grant in view.resolved().grants(names: FileTree.names) { try permit(grant) }
    }

    private func permit(_ grant: FileView.Grant) throws(SystemError) {
      // Commands may have put a link where a folder was, to have what it leads to.
      let place = unsafe gh_hold_without_links(grant.path)
      guard place >= 0 else { return }
      let owned = Descriptor(owning: place)
      var status = stat()
      guard unsafe fstat(owned.number, &status) == 0 else { return }
      var rights = Rights.of(grant.access) & handled
      if status.st_mode & mode_t(S_IFMT) != mode_t(S_IFDIR) { rights &= Rights.ofFiles }
      guard rights != 0 else { return }
      guard gh_landlock_allow(number, owned.number, rights) == 0 else {
        throw SystemError("permit \(grant.path) in a Landlock ruleset")
      }
    }
  }

  private enum Rights {
    static let scopes = GH_LANDLOCK_SCOPE_SIGNALS | GH_LANDLOCK_SCOPE_ABSTRACT_SOCKETS
    static let list = bits(LANDLOCK_ACCESS_FS_READ_DIR)
    static let read = list | bits(LANDLOCK_ACCESS_FS_READ_FILE, LANDLOCK_ACCESS_FS_EXECUTE)
    // No device nodes: a new one for a disk would show what is hidden.
    static let write =
      read | GH_LANDLOCK_FS_TRUNCATE | GH_LANDLOCK_FS_REFER
      | bits(
        LANDLOCK_ACCESS_FS_WRITE_FILE,
        LANDLOCK_ACCESS_FS_REMOVE_DIR,
        LANDLOCK_ACCESS_FS_REMOVE_FILE,
        LANDLOCK_ACCESS_FS_MAKE_DIR,
        LANDLOCK_ACCESS_FS_MAKE_REG,
        LANDLOCK_ACCESS_FS_MAKE_SOCK,
        LANDLOCK_ACCESS_FS_MAKE_FIFO,
        LANDLOCK_ACCESS_FS_MAKE_SYM
      )
    static let nodes = bits(LANDLOCK_ACCESS_FS_MAKE_CHAR, LANDLOCK_ACCESS_FS_MAKE_BLOCK)
    static let ofFiles =
      GH_LANDLOCK_FS_TRUNCATE | GH_LANDLOCK_FS_IOCTL_DEV
      | bits(
        LANDLOCK_ACCESS_FS_READ_FILE,
        LANDLOCK_ACCESS_FS_EXECUTE,
        LANDLOCK_ACCESS_FS_WRITE_FILE
      )

    static func of(_ access: FileView.Grant.Access) -> UInt64 {
      switch access {
      case .list: list
      case .read: read
      case .write: write
      case .device: write | GH_LANDLOCK_FS_IOCTL_DEV
      }
    }

    /// All that a kernel of this version can withhold.
    static func handled(_ version: Int) -> UInt64 {
      var rights = write | nodes | GH_LANDLOCK_FS_IOCTL_DEV
      if version < 2 { rights &= ~GH_LANDLOCK_FS_REFER }
      if version < 3 { rights &= ~GH_LANDLOCK_FS_TRUNCATE }
      if version < 5 { rights &= ~GH_LANDLOCK_FS_IOCTL_DEV }
      return rights
    }

    private static func bits(_ rights: UInt64...) -> UInt64 { rights.reduce(0) { $0 | $1 } }
  }
}

extension FileView {
  /// The same view with the real paths of what may be written, as they are now: to be asked for once,
  /// before any command can have replaced one by a link.
  package func settled() -> FileView {
    var view = self
    view.writable = writable.map { FileTree.realPath($0) ?? $0 }
    return view
  }

  /// The same view with real paths of what is hidden: a symbolic link is hidden with what it leads to.
  /// What may be written and is a link by now, or lies behind one, is left out.
  func resolved() -> FileView {
    FileView(
      hidden: hidden.flatMap { path in
        [FileTree.realFolder(of: path), FileTree.realPath(path)].compactMap(\.self)
      },
      writable: writable.filter { FileTree.realPath($0) == $0 },
      devices: devices
    )
  }
}
