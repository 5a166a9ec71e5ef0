internal import CLinux
internal import Glibc

/// The right to write to a state folder: one process at a time, until it ends or lets go.
package struct FolderLock: ~Copyable, Sendable {
  private let file: Int32

  /// - Throws: when another process holds it.
  package init(_ folder: StateFolder) throws(HostError) {
    let path = folder.path(of: "lock")
    file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw HostError(failed: "cannot open \(path)") }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      // Throwing from here runs `deinit`, which closes the file.
      let code = gh_errno()
      guard code == EWOULDBLOCK else {
        throw HostError("cannot lock \(path): \(HostError.reason(code))")
      }
      throw HostError(
        "a plane already runs on \(folder.path); stop it, or choose another folder with --state"
      )
    }
  }

  deinit {
    // Said, not left to `close`: a child between fork and exec shares the open file, and with it
    // the lock.
    guard file >= 0 else { return }
    flock(file, LOCK_UN)
    // A second close would take another thread's file away.
    precondition(close(file) == 0 || gh_errno() != EBADF, "a lock's file was closed twice")
  }
}

extension StateFolder {
  /// The process that has taken a folder of it for itself, by flock(2), and has written its number into
  /// the file `pid` there; nil: none, or it has not written it yet.
  package func holder(of name: String) throws(HostError) -> DetachedProcess? {
    let path = path(of: name)
    let file = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else {
      guard gh_errno() != ENOENT else { return nil }
      throw HostError(failed: "cannot open \(path)")
    }
    defer { close(file) }
    guard flock(file, LOCK_EX | LOCK_NB) != 0 else {
      // Said, as above.
      flock(file, LOCK_UN)
      return nil
    }
    guard gh_errno() == EWOULDBLOCK else { throw HostError(failed: "cannot lock \(path)") }
    let text = try read("\(name)/pid", maxBytes: 32).map { String(decoding: $0, as: UTF8.self) }
    return text.flatMap { Int32($0.prefix { $0 != "\n" }) }.flatMap(DetachedProcess.init(running:))
  }
}
