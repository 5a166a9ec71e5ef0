internal import CLinux

/// The environment of a command: a few variables by name, nothing inherited besides.
package struct CommandEnvironment: Equatable, Sendable {
  package private(set) var variables: [String: String]

  /// What may be taken from the environment of the daemon, which is not secret by its kind.
  package static let allowed = ["PATH", "HOME", "LANG", "TERM", "TZ", "USER"]

  /// The allowed variables, with defaults where there are none.
  package init(from inherited: [String: String], account: Account) {
    variables = [
      "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
      "HOME": account.home, "USER": account.name, "TERM": "dumb",
    ]
    for name in Self.allowed { if let value = inherited[name] { variables[name] = value } }
  }

  /// Whether a variable can have this name.
  package static func isName(_ name: String) -> Bool {
    !name.isEmpty && !name.utf8.contains { $0 == UInt8(ascii: "=") || $0 == 0 }
  }

  package mutating func set(_ name: String, to value: String) { variables[name] = value }

  /// No pager, no prompt, no colour codes for eyes: a script has nobody to ask.
  package mutating func makeNonInteractive() {
    for (name, value) in [
      ("PAGER", "cat"), ("GIT_PAGER", "cat"), ("MANPAGER", "cat"), ("SYSTEMD_PAGER", "cat"),
      ("GIT_TERMINAL_PROMPT", "0"), ("GIT_EDITOR", "true"), ("EDITOR", "true"), ("VISUAL", "true"),
      ("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"), ("SSH_ASKPASS", ""),
      ("DEBIAN_FRONTEND", "noninteractive"), ("PIP_NO_INPUT", "1"),
      ("npm_config_yes", "true"), ("CI", "true"), ("NO_COLOR", "1"), ("TERM", "dumb"),
    ] { variables[name] = value }
  }

  /// `NAME=value`, in order of name.
  package var entries: [[UInt8]] {
    variables.sorted { $0.key < $1.key }.map { Array("\($0.key)=\($0.value)".utf8) }
  }
}

/// The account that the process runs under.
package struct Account: Equatable, Sendable {
  package var name: String
  package var home: String

  package init(name: String, home: String) {
    self.name = name
    self.home = home
  }

  /// As `/etc/passwd` says; else as `USER` and `HOME` say, for accounts that are kept elsewhere; else
  /// by number with home `/`.
  ///
  /// Not by `getpwuid`, which loads plugins: a static program has none.
  package static var current: Account {
    let passwd = try? StateFolder.readFile("/etc/passwd", maxBytes: 16 << 20)
    return Account(user: getuid(), passwd: passwd ?? "", environment: environment)
  }

  init(user: UInt32, passwd: String, environment: [String: String]) {
    // name:password:user:group:comment:home:shell, see passwd(5).
    for line in passwd.split(separator: "\n") {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count == 7, UInt32(fields[2]) == user else { continue }
      self.init(name: String(fields[0]), home: fields[5].isEmpty ? "/" : String(fields[5]))
      return
    }
    self.init(
      name: environment["USER"] ?? String(user),
      home: environment["HOME"] ?? "/"
    )
  }

  /// The process's own environment.
  package static var environment: [String: String] {
    var variables: [String: String] = [:]
    var next = unsafe gh_environment()
    while let place = unsafe next, let entry = unsafe place.pointee {
      let text = unsafe String(cString: entry)
      if let equals = text.firstIndex(of: "=") {
        variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
      }
      unsafe next = place + 1
    }
    return variables
  }
}
