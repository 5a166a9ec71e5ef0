internal import CLinux
internal import Glibc
internal import Synchronization

/// SIGUSR1 as something that happens again and again.
package enum UserSignal {
  /// An eventfd that the handler writes to; below zero before `onEach`.
  private static let event = Atomic<Int32>(-1)

  /// Calls `action` on a thread of its own for each signal; several that come at once may count as
  /// one. For the process's life; once.
  package static func onEach(_ action: @escaping @Sendable () -> Void) throws(HostError) {
    let descriptor = eventfd(0, Int32(EFD_CLOEXEC))
    guard descriptor >= 0 else { throw HostError(failed: "cannot wait for SIGUSR1") }
    let (isFirst, _) = event.compareExchange(
      expected: -1,
      desired: descriptor,
      ordering: .sequentiallyConsistent
    )
    precondition(isFirst, "one waits for SIGUSR1 already")

    let box = unsafe Unmanaged.passRetained(Action(run: action))  // the thread's, for good
    var thread = pthread_t()
    let code = unsafe pthread_create(&thread, nil, wait, box.toOpaque())
    guard code == 0 else { throw HostError("cannot start a thread: \(HostError.reason(code))") }
    pthread_detach(thread)
    signal(SIGUSR1, record)
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
    let action = unsafe Unmanaged<Action>.fromOpaque(box).takeUnretainedValue()
    while true {
      var count: UInt64 = 0
      if unsafe eventfd_read(event.load(ordering: .relaxed), &count) == 0 { action.run() }
    }
  }

  private final class Action: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
