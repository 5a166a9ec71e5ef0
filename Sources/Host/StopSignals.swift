internal import Glibc
internal import Synchronization

/// SIGTERM and SIGINT as something to wait for.
package enum StopSignals {
  private static let waiting = Atomic<Bool>(false)

  /// Calls `action` on a thread of its own when either signal comes, once. Only one may wait.
  ///
  /// Call it before other threads start: they inherit that both are blocked, so that only the
  /// waiting thread takes them.
  package static func onFirst(_ action: @escaping @Sendable () -> Void) throws(HostError) {
    precondition(
      !waiting.exchange(true, ordering: .relaxed),
      "one waits for the stop signals already"
    )
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGTERM)
    unsafe sigaddset(&signals, SIGINT)
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    let box = unsafe Unmanaged.passRetained(Action(run: action))  // taken by the thread
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread,
      nil,
      { box in
        if let box = unsafe box { unsafe StopSignals.wait(Unmanaged.fromOpaque(box)) }
        return nil
      },
      unsafe box.toOpaque()
    )
    guard code == 0 else { throw HostError("cannot start a thread: \(HostError.reason(code))") }
    pthread_detach(thread)
  }

  private static func wait(_ box: Unmanaged<Action>) {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGTERM)
    unsafe sigaddset(&signals, SIGINT)
    var signal: Int32 = 0
    while unsafe sigwait(&signals, &signal) != 0 {}
    unsafe box.takeRetainedValue().run()
  }

  private final class Action: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
