internal import CLinux

/// Which part of the file system a command may use: everything may be read and executed except
/// what is hidden, and only some of it written.
///
/// Landlock knows only permissions, never exceptions, and a permission covers all below it. So
/// what leads to a hidden path is not permitted as a whole: what lies beside it is, name by name.
/// What is made beside it later stays out of reach for commands that run already. Names can be
/// listed everywhere (`ls /` works); it is contents that are hidden. Of a folder with very many names
/// only `maxNames` are permitted. Paths are absolute, without symbolic links, `.` or a final `/`.
package struct FileView: Equatable, Sendable {
  package var hidden: [String]
  package var writable: [String]
  /// Folders and files that are readable and writable although they lie in a hidden place, or in
  /// `/dev`, of which only these are permitted: a raw disk would show what is hidden.
  package var devices: [String]

  package init(hidden: [String], writable: [String], devices: [String] = Self.plainDevices) {
    self.hidden = hidden
    self.writable = writable
    self.devices = devices
  }

  /// The devices that hold nothing of anyone's.
  package static let plainDevices = [
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx",
    "/dev/pts", "/dev/shm",
  ]

  /// Where an account keeps what lets others act in its name, and what is ours.
  ///
  /// Its home is the one that it has, and the one that `environment` names: a service or `sudo` may
  /// have set another, and the first is there all the same.
  package static func secrets(homes: [String], environment: [String: String]) -> [String] {
    var paths = (homes + [environment["HOME"]].compactMap(\.self)).flatMap(credentials)
    if let folder = environment["XDG_CONFIG_HOME"], folder.hasPrefix("/") {
      paths.append(folder + "/gatehouse")
    }
    if let key = environment["GATEHOUSE_KEY"].flatMap(FileTree.realPath) { paths.append(key) }
    // Sockets of the session and its keyring, and registry credentials of containers.
    paths.append("/run/user/\(getuid())")
    var seen: Set<String> = []
    return paths.filter { seen.insert($0).inserted }
  }

  /// The same for one home folder.
  static func credentials(in home: String) -> [String] {
    let home = home.hasSuffix("/") ? String(home.dropLast()) : home
    let paths = [
      ".config/gatehouse", ".ssh", ".aws", ".azure", ".gnupg", ".kube", ".docker", ".config/gcloud",
      ".config/gh", ".config/op", ".config/hub", ".netrc", ".git-credentials",
      ".config/git/credentials", ".npmrc", ".pypirc", ".cargo/credentials",
      ".cargo/credentials.toml", ".vault-token", ".terraform.d", ".password-store",
      ".local/share/keyrings", ".mozilla", ".config/google-chrome", ".config/chromium",
      ".bash_history", ".zsh_history", ".python_history", ".claude", ".claude.json", ".codex",
      ".config/anthropic", ".m2/settings.xml", ".m2/settings-security.xml",
      ".gradle/gradle.properties", ".pgpass", ".my.cnf", ".s3cfg",
    ].map { home + "/" + $0 }
    // In a cache, beside which commands make names: hidden where it is, since it costs them that.
    return paths
      + [".cache/huggingface/token"].map { home + "/" + $0 }.filter { FileTree.realPath($0) != nil }
  }

  /// Where commands keep what they would otherwise fetch or build each time.
  package static func caches(in home: String) -> [String] {
    [".cache", ".npm", ".swiftpm"].map { home + "/" + $0 }
  }

  /// One permission: `access` to `path` and all below it.
  package struct Grant: Equatable, Sendable {
    package enum Access: Sendable { case list, read, write, device }
    package var path: String
    package var access: Access
  }

  /// Most names in a folder on the way to something hidden that are permitted, beside those that lead
  /// on. Each costs the start of every command 15 µs: 30,000 in `/tmp` cost 0.9 s. The rest stays out
  /// of reach, as what is made there later does.
  package static let maxNames = 1_024

  /// What to permit.
  ///
  /// `names` gives the names in a folder, those first that matter most; none for what is no folder.
  /// Symbolic links are left out, since permissions follow real paths.
  package func grants(names: @escaping (String) -> [String]) -> [Grant] {
    var grants = [Grant(path: "/", access: .list)]
    // What may be written may be read, and is come to below.
    let read = Expansion(access: .read, others: Set(writable), names: names)
    expand("/", read, except: hidden + ["/dev"], into: &grants)
    let write = Expansion(access: .write, others: [], names: names)
    for path in writable { expand(path, write, except: hidden, into: &grants) }
    grants += devices.map { Grant(path: $0, access: .device) }
    return grants
  }

  /// Folders of this machine with more names than are permitted, on the way to something hidden, and how
  /// many each has.
  package var crowdedFolders: [(folder: String, names: Int)] {
    resolved().crowded(names: FileTree.names)
  }

  func crowded(names: (String) -> [String]) -> [(folder: String, names: Int)] {
    var folders: Set<String> = []
    for path in hidden {
      var rest = path[...]
      while let slash = rest.lastIndex(of: "/") {
        rest = rest[..<slash]
        folders.insert(rest.isEmpty ? "/" : String(rest))
      }
    }
    return folders.sorted().map { (folder: $0, names: names($0).count) }
      .filter { $0.names > Self.maxNames }
  }

  private struct Expansion {
    let access: Grant.Access
    /// Paths that are permitted elsewhere.
    let others: Set<String>
    let names: (String) -> [String]
  }

  /// Permits all below `path`, as high up as the exceptions allow.
  private func expand(
    _ path: String,
    _ expansion: Expansion,
    except hidden: [String],
    into grants: inout [Grant]
  ) {
    let below = hidden.filter { Self.isBelow($0, path) }
    // A writable folder inside a hidden one was asked for by name; only what is below it counts.
    guard !hidden.contains(path), !expansion.others.contains(path) else { return }
    guard !below.isEmpty else {
      return grants.append(Grant(path: path, access: expansion.access))
    }
    var room = Self.maxNames
    for name in expansion.names(path) {
      let child = path == "/" ? "/" + name : path + "/" + name
      let leadsOn = below.contains { $0 == child || Self.isBelow($0, child) }
      guard leadsOn || room > 0 else { continue }
      if !leadsOn { room -= 1 }
      expand(child, expansion, except: below, into: &grants)
    }
  }

  /// The paths, and what they are without symbolic links, whether there is anything or not.
  static func realPaths(of paths: [String]) -> [String] {
    paths.flatMap { path in
      [path, FileTree.realFolder(of: path), FileTree.realPath(path)].compactMap(\.self)
    }
  }

  static func isBelow(_ path: String, _ folder: String) -> Bool {
    folder == "/" ? path != "/" : path.hasPrefix(folder + "/")
  }
}
