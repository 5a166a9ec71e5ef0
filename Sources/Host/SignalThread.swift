internal import CLinux
internal import Glibc

/// A thread that waits for an eventfd, which a signal's handler writes to: what a handler may do
/// itself is next to nothing (signal-safety(7)).
struct SignalThread {
  /// The eventfd.
  let descriptor: Int32
  /// Acts each time; else once, and ends.
  let isRepeated: Bool

  init(isRepeated: Bool) throws(HostError) {
    descriptor = eventfd(0, Int32(EFD_CLOEXEC))
    guard descriptor >= 0 else { throw HostError(failed: "cannot wait for signals") }
    self.isRepeated = isRepeated
  }

  /// Calls `action` on a new thread when the eventfd is written to.
  func start(_ action: @escaping @Sendable () -> Void) throws(HostError) {
    let waiter = Waiter(descriptor: descriptor, isRepeated: isRepeated, action: action)
    let box = unsafe Unmanaged.passRetained(waiter)  // taken by the thread
    var thread = pthread_t()
    let code = unsafe pthread_create(&thread, nil, Self.wait, box.toOpaque())
    guard code == 0 else { throw HostError("cannot start a thread: \(HostError.reason(code))") }
    pthread_detach(thread)
  }

  private static let wait: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    box in
    guard let box = unsafe box else { preconditionFailure("thread without an action") }
    let waiter = unsafe Unmanaged<Waiter>.fromOpaque(box).takeRetainedValue()
    repeat {
      var count: UInt64 = 0
      while unsafe eventfd_read(waiter.descriptor, &count) != 0 {}
      waiter.action()
    } while waiter.isRepeated
    return nil
  }

  private final class Waiter: Sendable {
    let descriptor: Int32
    let isRepeated: Bool
    let action: @Sendable () -> Void

    init(descriptor: Int32, isRepeated: Bool, action: @escaping @Sendable () -> Void) {
      self.descriptor = descriptor
      self.isRepeated = isRepeated
      self.action = action
    }
  }
}

/// Writes to the eventfd of a `SignalThread`; for handlers.
func wake(_ descriptor: Int32) {
  let saved = gh_errno()
  _ = eventfd_write(descriptor, 1)
  gh_set_errno(saved)
}
