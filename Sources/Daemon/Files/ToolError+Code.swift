internal import Glibc
package import DaemonWire
internal import EventLoop
internal import Sandbox

extension ToolError {
  /// The codes of `ToolError.code` (call.proto).
  package enum Code: String, Sendable {
    case notFound = "not_found"
    case permissionDenied = "permission_denied"
    case outsideRoot = "outside_root"
    case isDirectory = "is_directory"
    case notDirectory = "not_directory"
    case notExecutable = "not_executable"
    case exists, stale
    case noMatch = "no_match"
    case ambiguousMatch = "ambiguous_match"
    case invalidArgument = "invalid_argument"
    case tooLarge = "too_large"
    case unknownTool = "unknown_tool"
    case unsupported, unavailable, overloaded
    case digestMismatch = "digest_mismatch"
    case noSpace = "no_space"
    case `internal`
  }

  /// `message` is for people; it names the thing and the remedy.
  package init(_ code: Code, _ message: String) { self.init(code: code.rawValue, message: message) }

  /// What a failed system call means to whoever named `path`.
  init(_ error: SystemError, _ path: [UInt8]) {
    let name = PathText.quoted(path)
    guard !error.isHidden else {
      self.init(.permissionDenied, "\(name) is kept from workspaces; use another path")
      return
    }
    switch error.code {
    case ENOENT: self.init(.notFound, "no file \(name); list its folder to see what is there")
    case EXDEV:
      self.init(
        .outsideRoot,
        "\(name) leads out of the workspace; use a path relative to its root, below it"
      )
    case EACCES, EPERM:
      self.init(.permissionDenied, "\(name) is closed to the workspace's account; change its mode")
    case EROFS: self.init(.permissionDenied, "\(name) is on a read-only file system")
    case EISDIR: self.init(.isDirectory, "\(name) is a folder; name a file in it")
    case ENOTDIR:
      self.init(.notDirectory, "\(name) is no folder, or a part of it is none; name a folder")
    case EEXIST: self.init(.exists, "\(name) is there already; choose another name or remove it")
    case ENAMETOOLONG: self.init(.invalidArgument, "\(name) is too long a path; shorten it")
    case ELOOP:
      self.init(.invalidArgument, "\(name) has too many symbolic links in it; mend the links")
    // What can be opened of these is refused later, by the same words.
    case ENXIO, ENODEV: self = .notRegular(path)
    case EINVAL: self.init(.invalidArgument, "\(name) is no path; a path has no NUL")
    case ENOSPC, EDQUOT:
      self.init(.noSpace, "no space left to write \(name); free some and try again")
    case EFBIG: self.init(.tooLarge, "\(name) would be larger than the file system allows")
    default: self.init(.internal, "\(name): \(error)")
    }
  }

  static func notRegular(_ path: [UInt8]) -> ToolError {
    ToolError(
      .unsupported,
      "\(PathText.quoted(path)) is no regular file; use a command to handle it"
    )
  }

  /// The same of the folder that a command is to start in.
  init(_ error: SystemError, folder path: [UInt8]) {
    guard error.code == ENOENT else {
      self.init(error, path)
      return
    }
    let name = PathText.quoted(path)
    // Not `notFound`: of a command that is its program.
    self.init(.notDirectory, "no folder \(name) in the workspace; make it, or start in another")
  }

  /// Runs what names `path` to the kernel.
  static func translating<Value: ~Copyable>(
    _ path: [UInt8],
    _ body: () throws(SystemError) -> Value
  ) throws(ToolError) -> Value {
    do {
      return try body()
    } catch {
      throw ToolError(error, path)
    }
  }
}
