internal import Glibc
internal import Synchronization

/// SIGUSR1 as something that happens again and again.
package enum UserSignal {
  /// An eventfd that the handler writes to; below zero before `onEach`.
  private static let event = Atomic<Int32>(-1)

  /// Calls `action` on a thread of its own for each signal; several that come at once may count as
  /// one. For the process's life; once.
  package static func onEach(_ action: @escaping @Sendable () -> Void) throws(HostError) {
    let thread = try SignalThread(isRepeated: true)
    let before = event.exchange(thread.descriptor, ordering: .sequentiallyConsistent)
    precondition(before == -1, "one waits for SIGUSR1 already")
    try thread.start(action)
    signal(SIGUSR1) { _ in wake(UserSignal.event.load(ordering: .relaxed)) }
  }
}
