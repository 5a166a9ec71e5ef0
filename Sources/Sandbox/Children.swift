internal import CLinux
package import EventLoop

/// How a process ended.
package enum ExitStatus: Equatable, Sendable {
  /// 0…255.
  case exited(Int32)
  /// The number of the signal.
  case signalled(Int32)

  init(waitStatus status: Int32) {
    self =
      gh_exited(status) != 0 ? .exited(gh_exit_code(status)) : .signalled(gh_term_signal(status))
  }
}

/// The ends of this process's children, those it adopted included.
package struct Children: ~Copyable {
  /// Readable when a child may have ended.
  package let descriptor: Descriptor

  /// Begins to watch. From here on SIGCHLD is blocked in the calling thread.
  package init() throws(SystemError) {
    let number = gh_watch_children()
    guard number >= 0 else { throw SystemError("watch child processes") }
    descriptor = Descriptor(owning: number)
  }

  package enum Next: Equatable, Sendable {
    case ended(Int32, ExitStatus)
    /// There are children; none has ended since.
    case allRunning
    /// There are no children, and so no descendants: each would have been adopted.
    case none
  }

  /// The next end that nobody has asked for yet.
  package func next() -> Next {
    var status: Int32 = 0
    while true {
      let process = unsafe waitpid(-1, &status, WNOHANG)
      if process > 0 { return .ended(process, ExitStatus(waitStatus: status)) }
      if process == 0 { return .allRunning }
      if gh_errno() != EINTR { return .none }
    }
  }

  /// Waits for the end of any; false when there are none.
  package func waitForOne() -> Bool {
    while waitpid(-1, nil, 0) < 0 {
      if gh_errno() != EINTR { return false }
    }
    return true
  }

  /// Forgets what made the descriptor readable; call it before `next`.
  package func clear() {
    var information = [UInt8](repeating: 0, count: 1_024)
    while case .some(.bytes) = try? descriptor.read(into: &information) {}
  }
}
