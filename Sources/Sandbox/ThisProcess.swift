internal import CLinux
internal import CSpawn
package import EventLoop

/// What the running process may say about itself.
package enum ThisProcess {
  /// Nobody of the same account may trace this process, read its memory or its environment.
  ///
  /// Undone by exec. Also ends core dumps, which would hold keys.
  package static func makeUndumpable() throws(SystemError) {
    try set(PR_SET_DUMPABLE, 0, "make the process non-dumpable")
  }

  package static var isDumpable: Bool { gh_process_control(PR_GET_DUMPABLE, 0) != 0 }

  /// Nothing executed from here on gains privileges (set-user-id bits, file capabilities).
  package static func forbidNewPrivileges() throws(SystemError) {
    try set(PR_SET_NO_NEW_PRIVS, 1, "set no_new_privs")
  }

  /// Becomes the parent of descendants whose own parent ends.
  package static func adoptOrphans() throws(SystemError) {
    try set(PR_SET_CHILD_SUBREAPER, 1, "become child subreaper")
  }

  /// From here on, writing to a pipe that nobody reads fails instead of ending the process. What
  /// `Program` and `ConfinedCommand` start is not affected.
  package static func ignoreBrokenPipes() { gh_ignore_broken_pipes() }

  private static func set(
    _ option: Int32,
    _ value: UInt,
    _ operation: String
  ) throws(SystemError) {
    guard gh_process_control(option, value) == 0 else { throw SystemError(operation) }
  }

  package static var id: Int32 { getpid() }

  /// What this program was started with, its own name left out. Needs no `/proc`, unlike
  /// `CommandLine`.
  package static var arguments: [String] {
    var arguments: [String] = []
    var next = unsafe gh_program_arguments()
    while let place = unsafe next, let word = unsafe place.pointee {
      unsafe arguments.append(String(cString: word))
      unsafe next = place + 1
    }
    return Array(arguments.dropFirst())
  }

  /// Where this program lies, as it was called if that was by an absolute path: a link there may lead to
  /// another version later. Asked at the start, before another takes its place. `nil` without `/proc`.
  package static var path: String? {
    if let words = unsafe gh_program_arguments(), let first = unsafe words.pointee {
      let name = unsafe String(cString: first)
      if name.hasPrefix("/") { return name }
    }
    return FileTree.realPath("/proc/self/exe")
  }

  /// Becomes the program at `path`, with the same arguments, environment and process id. All that is open
  /// closes.
  ///
  /// - Returns: only when it cannot be, why.
  package static func become(_ path: String) -> SystemError {
    unsafe execve(path, gh_program_arguments(), gh_environment())
    return SystemError("start \(path)")
  }

  /// Lets go of the program's pages that were needed to start: the kernel maps sixteen for each one
  /// that is touched. Those in use come back by themselves, in microseconds.
  package static func forgetStart() { gh_forget_program_pages() }

  /// Whether `/proc` shows this process. Without it nobody can tell what a command has started.
  package static var isInProc: Bool { unsafe access("/proc/self/exe", F_OK) == 0 }
}
