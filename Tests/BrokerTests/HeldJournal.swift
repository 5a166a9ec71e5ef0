import Broker
import Calls
import Identity
import RPC
import Synchronization

/// A journal that keeps intents waiting until the test lets them go.
final class HeldJournal: CallJournal {
  private struct State {
    var held: [@Sendable (Result<UInt64, JournalError>) -> Void] = []
    var events: [String] = []
    /// The calls that keys stand for.
    var keys: [String: String] = [:]
    var ends: [@Sendable () -> Void] = []
    var holdsEnds = false
    var failure: String?
    var next: UInt64 = 100
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  var failure: String? {
    get { state.withLock { $0.failure } }
    set { state.withLock { $0.failure = newValue } }
  }

  /// What was told, one word each, with the number of the intent it names.
  var events: [String] { state.withLock { $0.events } }

  func intend(
    _ call: CallNote,
    then: @escaping @Sendable (Result<UInt64, JournalError>) -> Void
  ) {
    let waiters = state.withLock { state in
      state.held.append(then)
      state.events.append("intended \(call.order.tool)")
      state.keys[call.order.idempotencyKey] = call.id
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func offer(
    _ call: CallNote,
    on link: BrokerCall.Link,
    then: @escaping @Sendable (Result<UInt64, JournalError>) -> Void
  ) {
    let waiters = state.withLock { state in
      state.held.append(then)
      state.events.append("to offer \(call.intent) elsewhere")
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func end(_ report: CallReport, then: @escaping @Sendable () -> Void) {
    keep("ended \(report.call.intent) \(report.outcome)", then)
  }

  func holder(
    ofKeyOf call: CallNote,
    then: @escaping @Sendable (Result<String?, JournalError>) -> Void
  ) {
    then(.success(state.withLock { $0.keys[call.order.idempotencyKey] }))
  }

  func found(_ call: CallNote, _ found: FoundCall, then: @escaping @Sendable () -> Void) {
    keep("found \(call.intent)", then)
  }

  func found(
    _ calls: [String: FoundCall],
    in workspace: String,
    then: @escaping @Sendable () -> Void
  ) {
    keep("found \(calls.keys.sorted()) in \(workspace)", then)
  }

  private func keep(_ event: String, _ then: @escaping @Sendable () -> Void) {
    state.withLock { state in
      state.events.append(event)
      state.ends.append(then)
    }
    if !holdsEnds { releaseEnds() }
  }

  /// The ends so far are kept.
  func releaseEnds() {
    let ends = state.withLock { state in
      defer { state.ends = [] }
      return state.ends
    }
    for end in ends { end() }
  }

  /// Whether ends wait for `releaseEnds`.
  var holdsEnds: Bool {
    get { state.withLock { $0.holdsEnds } }
    set { state.withLock { $0.holdsEnds = newValue } }
  }

  func record(_ event: BrokerEvent) {
    let text: String? =
      switch event {
      case .callOffered(let call, _): "offered \(call.intent)"
      case .callStarted(let call, _): "started \(call.intent)"
      case .callCancelled(let call, let by, let reason):
        "cancelled \(call.intent) by \(by?.name ?? "the plane"): \(reason)"
      case .callRefused(_, let status): "refused \(status.code.name)"
      default: nil
      }
    if let text { state.withLock { $0.events.append(text) } }
  }

  /// Waits until an intent is held.
  func held() async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        guard state.held.isEmpty else { return true }
        state.waiters.append(continuation)
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  /// Keeps all that are held, or refuses them.
  func release(_ refusal: String? = nil) {
    let released = state.withLock { state in
      defer { state.held = [] }
      return state.held.map { then in
        state.next += 1
        return (then, state.next)
      }
    }
    for (then, number) in released {
      then(refusal.map { .failure(JournalError($0)) } ?? .success(number))
    }
  }
}
