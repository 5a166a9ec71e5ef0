/// How often and how long to try again.
package struct RetryPolicy: Sendable {
  package var maxAttempts = 5
  package var firstDelay: Duration = .milliseconds(500)
  package var maxDelay: Duration = .seconds(20)
  /// A provider that asks for more is not waited for.
  package var maxRetryAfter: Duration = .seconds(60)

  package init() {}

  /// What to wait after `attempt` failures, from 1; `nil` to give up. Half of the delay is random by
  /// `jitter`, 0 … 1, so that many planes don't come back at once.
  package func delay(
    after error: ProviderError,
    attempt: Int,
    jitter: Double
  ) -> Duration? {
    guard error.isPassing, attempt < maxAttempts else { return nil }
    if let asked = error.retryAfter { return asked <= maxRetryAfter ? asked : nil }
    let full = min(maxDelay, firstDelay * (1 << min(attempt - 1, 16)))
    return full / 2 + full / 2 * jitter
  }
}

/// A model that is asked again after failures that pass: too many requests, errors of the server,
/// streams that were cut. An answer has its tool calls at its end only, so none is handed out twice.
package struct Retrying<Base: Model>: Model {
  private let base: Base
  private let policy: RetryPolicy
  private let sleep: @Sendable (Duration) async throws -> Void
  private let jitter: @Sendable () -> Double

  package init(
    _ base: Base,
    policy: RetryPolicy = RetryPolicy(),
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    jitter: @escaping @Sendable () -> Double = { .random(in: 0...1) }
  ) {
    self.base = base
    self.policy = policy
    self.sleep = sleep
    self.jitter = jitter
  }

  package var name: String { base.name }

  package func answer(
    _ request: ModelRequest,
    deliver: @Sendable (ModelEvent) async -> Void
  ) async throws -> ModelAnswer {
    var attempt = 0
    let shown = ShownText()
    while true {
      do {
        shown.begin()
        let answer = try await base.answer(request) { event in
          if let event = shown.next(event) { await deliver(event) }
        }
        if let rest = shown.end() { await deliver(rest) }
        return answer
      } catch let error as ProviderError {
        attempt += 1
        guard let delay = policy.delay(after: error, attempt: attempt, jitter: jitter()) else {
          throw attempt > 1 ? error.after(attempts: attempt) : error
        }
        await deliver(.retrying(reason: error.message, delay: delay))
        try await sleep(delay)
      }
    }
  }
}

extension ProviderError {
  fileprivate func after(attempts: Int) -> ProviderError {
    var error = self
    error.message += " (after \(attempts) attempts)"
    return error
  }
}
