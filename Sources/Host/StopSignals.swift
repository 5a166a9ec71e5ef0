internal import CLinux
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
    let descriptor = eventfd(0, Int32(EFD_CLOEXEC))
    guard descriptor >= 0 else { throw HostError(failed: "cannot wait for signals") }
    let (isFirst, _) = event.compareExchange(
      expected: -1,
      desired: descriptor,
      ordering: .sequentiallyConsistent
    )
    precondition(isFirst, "one waits for the stop signals already")

    let box = unsafe Unmanaged.passRetained(Action(run: action))  // taken by the thread
    var thread = pthread_t()
    let code = unsafe pthread_create(&thread, nil, wait, box.toOpaque())
    guard code == 0 else { throw HostError("cannot start a thread: \(HostError.reason(code))") }
    pthread_detach(thread)
    // A handler is the process's, so it does not matter which thread a signal comes to.
    for number in [SIGTERM, SIGINT, SIGHUP] { signal(number, record) }
    signal(SIGPIPE, SIG_IGN)
  }

  /// Only what signal-safety(7) allows.
  private static let record: @convention(c) (Int32) -> Void = { _ in
    let saved = gh_errno()
    _ = eventfd_write(event.load(ordering: .relaxed), 1)
    gh_set_errno(saved)
  }

  private static let wait: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    box in
    guard let box = unsafe box else { preconditionFailure("thread without an action") }
    let action = unsafe Unmanaged<Action>.fromOpaque(box).takeRetainedValue()
    var count: UInt64 = 0
    while unsafe eventfd_read(event.load(ordering: .relaxed), &count) != 0 {}
    action.run()
    return nil
  }

  private final class Action: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
