internal import EventLoop
internal import Host
internal import Synchronization

/// Waits on a loop for the end of a process, whoever started it.
///
/// Touched on its loop only; the mutex says so to the compiler and is never waited for.
final class ProcessEnd: EventLoopHandler {
  private let loop: EventLoop
  private let descriptor: Descriptor
  private let state = Mutex(State())

  private struct State {
    var registration: Registration?
    var waiter: CheckedContinuation<Void, Never>?
    var isOver = false
  }

  /// Returns when `process` has ended, when the task is cancelled, and at once where the kernel
  /// gives no such news.
  static func wait(for process: DetachedProcess, on loop: EventLoop) async {
    guard let number = process.openEnd() else { return }
    let end = ProcessEnd(Descriptor(owning: number), on: loop)
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        loop.execute { end.begin(waiter) }
      }
    } onCancel: {
      loop.execute { end.finish() }
    }
  }

  private init(_ descriptor: consuming Descriptor, on loop: EventLoop) {
    self.descriptor = descriptor
    self.loop = loop
  }

  func ready(_ readiness: Readiness) { finish() }

  func turnEnded() {}

  private func begin(_ waiter: CheckedContinuation<Void, Never>) {
    let isOver = state.withLock { state in
      if !state.isOver { state.waiter = waiter }
      return state.isOver
    }
    guard !isOver else { return waiter.resume() }
    do {
      let registration = try loop.register(descriptor.number, for: .readable, handler: self)
      state.withLock { $0.registration = registration }
    } catch {
      finish()
    }
  }

  private func finish() {
    let ended = state.withLock { state in
      defer { state = State(isOver: true) }
      return state
    }
    if let registration = ended.registration { loop.deregister(registration, descriptor.number) }
    ended.waiter?.resume()
  }
}
