internal import Glibc
internal import Synchronization

/// SIGTERM, SIGINT and SIGHUP as something to wait for.
package enum StopSignals {
  /// An eventfd that the handler writes to; below zero before `onFirst`.
  private static let event = Atomic<Int32>(-1)

  /// Calls `action` on a thread of its own when one of the signals comes, once. Only one may wait.
  ///
  /// From then on a write to a closed pipe is an error and no longer ends the process.
  package static func onFirst(_ action: @escaping @Sendable () -> Void) throws(HostError) {
    let thread = try SignalThread(isRepeated: false)
    let before = event.exchange(thread.descriptor, ordering: .sequentiallyConsistent)
    precondition(before == -1, "one waits for the stop signals already")
    try thread.start(action)
    // A handler is the process's, so it does not matter which thread a signal comes to.
    for number in [SIGTERM, SIGINT, SIGHUP] {
      signal(number) { _ in wake(StopSignals.event.load(ordering: .relaxed)) }
    }
    signal(SIGPIPE, SIG_IGN)
  }
}
