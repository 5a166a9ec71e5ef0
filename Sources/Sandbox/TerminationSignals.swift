internal import CLinux
package import EventLoop

/// SIGTERM, SIGINT and SIGHUP as something to wait for. Make it before other threads start: it blocks them
/// in the calling thread, and threads inherit that.
package struct TerminationSignals: ~Copyable {
  /// Readable once the process was asked to end.
  package let descriptor: Descriptor

  package init() throws(SystemError) {
    let number = gh_watch_termination()
    guard number >= 0 else { throw SystemError("watch signals") }
    descriptor = Descriptor(owning: number)
  }

  /// What the process was asked for; `nil` when it was not.
  package func next() -> Order? {
    switch gh_next_signal(descriptor.number) {
    case 0: nil
    case SIGHUP: .makeWay
    default: .end
    }
  }

  package enum Order: Sendable {
    case end
    /// SIGHUP: end what is ours alone, for a successor that takes the rest over.
    case makeWay
  }
}
