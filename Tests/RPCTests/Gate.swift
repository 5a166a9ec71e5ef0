import Synchronization

/// Holds tasks until it is opened.
final class Gate: Sendable {
  private let waiters = Mutex<[CheckedContinuation<Void, Never>]>([])

  var waiting: Int { waiters.withLock { $0.count } }

  func wait() async { await withCheckedContinuation { one in waiters.withLock { $0.append(one) } } }

  func open() {
    for waiter in waiters.withLock({ $0 }) { waiter.resume() }
  }
}
