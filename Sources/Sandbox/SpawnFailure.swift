internal import CLinux
internal import CSpawn

/// Why a command could not be started.
package struct SpawnFailure: Error, Equatable, Sendable {
  /// A `ToolError.code`: `not_found`, `not_executable`, `permission_denied`, `too_large`,
  /// `unsupported`, `unavailable` or `internal`.
  package let code: String
  /// For people: names the thing and the remedy.
  package let message: String

  package init(code: String, message: String) {
    self.code = code
    self.message = message
  }

  private static let maxName = 256

  init(stage: Int32, code: Int32, candidate: [UInt8], place: Int32, program: [UInt8]) {
    // It goes into a message of `ControlSocket`.
    let isLong = program.count > Self.maxName
    let name = String(decoding: program.prefix(Self.maxName), as: UTF8.self) + (isLong ? "…" : "")
    self =
      switch UInt32(bitPattern: stage) {
      case GH_SPAWN_EXECUTE.rawValue:
        .executing(name, errno: code, file: ExecutableFile(candidate, in: place))
      case GH_SPAWN_DIRECTORY.rawValue:
        Self(
          code: "permission_denied",
          message: "the working directory cannot be entered: \(Self.reason(code))"
        )
      case GH_SPAWN_CONFINE.rawValue:
        Self(code: "internal", message: "the sandbox cannot be entered: \(Self.reason(code))")
      default:
        Self(
          code: code == EAGAIN || code == ENOMEM || code == EMFILE ? "unavailable" : "internal",
          message: "'\(name)' was not started: \(Self.reason(code))"
        )
      }
  }

  /// execve's answer, told apart by what lies at the path that gave it.
  static func executing(_ name: String, errno code: Int32, file: ExecutableFile) -> SpawnFailure {
    switch (code, file) {
    case (ENOENT, .missing), (ENOTDIR, _):
      SpawnFailure(
        code: "not_found",
        message: "there is no program '\(name)'; check its name and PATH"
      )
    case (ENOENT, _):
      SpawnFailure(
        code: "not_found",
        message: "the interpreter that '\(name)' names in its first line is missing"
      )
    case (EACCES, .notExecutable):
      SpawnFailure(
        code: "not_executable",
        message: "'\(name)' is not executable; chmod +x it or run its interpreter"
      )
    case (EACCES, .folder):
      SpawnFailure(code: "not_executable", message: "'\(name)' is a folder")
    case (EACCES, _), (EPERM, _):
      SpawnFailure(
        code: "permission_denied",
        message: "'\(name)' may not be executed in this workspace"
      )
    case (ENOEXEC, _):
      SpawnFailure(
        code: "not_executable",
        message:
          "'\(name)' has no program format of this system; a script needs a first line with #!"
      )
    case (E2BIG, _):
      SpawnFailure(
        code: "too_large",
        message: "the arguments and environment of '\(name)' are too long; pass a file"
      )
    default:
      SpawnFailure(code: "not_executable", message: "'\(name)' cannot be executed: \(reason(code))")
    }
  }

  private static func reason(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}

/// What lies at a path that was to be executed.
enum ExecutableFile {
  case missing, folder, notExecutable, executable

  /// A relative path starts from the descriptor `folder`.
  init(_ path: [UInt8], in folder: Int32) {
    var status = stat()
    let name = path.map { CChar(truncatingIfNeeded: $0) } + [0]
    guard unsafe fstatat(folder, name, &status, 0) == 0 else {
      self = .missing
      return
    }
    switch status.st_mode & mode_t(S_IFMT) {
    case mode_t(S_IFDIR): self = .folder
    default: self = status.st_mode & 0o111 == 0 ? .notExecutable : .executable
    }
  }
}
