internal import LogLines
internal import Logging
internal import Metrics
internal import Providers
internal import Synchronization
internal import Wire

/// What the plane counts away from the broker's loop, since its start.
final class PlaneCounters: Sendable {
  private let counts = Mutex(Counts())

  private struct Counts {
    var enrolled: UInt64 = 0
    var enrollmentsRefused: UInt64 = 0
    var turnsStarted: UInt64 = 0
    var turnsEnded: [String: UInt64] = [:]
    var requests: [String: UInt64] = [:]
    var requestTimes = DurationHistogram(smallest: .milliseconds(32), bounds: 15)
    var tokensIn: UInt64 = 0
    var tokensOut: UInt64 = 0
  }

  func enrolled() { counts.withLock { $0.enrolled += 1 } }

  func enrollmentRefused() { counts.withLock { $0.enrollmentsRefused += 1 } }

  func turnStarted() { counts.withLock { $0.turnsStarted += 1 } }

  func turnEnded(_ state: String) { counts.withLock { $0.turnsEnded[state, default: 0] += 1 } }

  /// A model's provider answered, or did not: `result` is `ok`, `cancelled`, or an error's code.
  func modelAsked(_ result: String, _ usage: ModelUsage, took time: Duration) {
    counts.withLock { counts in
      counts.requests[result, default: 0] += 1
      counts.requestTimes.observe(time)
      counts.tokensIn += UInt64(max(0, usage.inputTokens))
      counts.tokensOut += UInt64(max(0, usage.outputTokens))
    }
  }

  func add(to page: inout MetricsPage) {
    let counts = counts.withLock { $0 }
    page.counter("gatehouse_enrollments_total", "Certificates made for tokens.", counts.enrolled)
    page.counter(
      "gatehouse_enrollments_refused_total",
      "Enrollments refused: bad tokens, or too many attempts.",
      counts.enrollmentsRefused
    )
    addChats(counts, to: &page)
    addModels(counts, to: &page)
  }

  private func addChats(_ counts: Counts, to page: inout MetricsPage) {
    let ended = counts.turnsEnded.values.reduce(0, +)
    page.gauge("gatehouse_turns", "Agents' turns at work.", counts.turnsStarted - ended)
    page.counter("gatehouse_turns_started_total", "Turns begun.", counts.turnsStarted)
    for state in ["completed", "interrupted", "failed", "needs_input", "needs_approval"] {
      page.counter(
        "gatehouse_turns_ended_total",
        "Turns ended, by the state they left.",
        counts.turnsEnded[state] ?? 0,
        ["state": state]
      )
    }
  }

  private func addModels(_ counts: Counts, to page: inout MetricsPage) {
    var results = counts.requests
    results["ok", default: 0] += 0
    for (result, count) in results.sorted(by: { $0.key < $1.key }) {
      page.counter(
        "gatehouse_provider_requests_total",
        "Requests to model providers, each attempt, by result.",
        count,
        ["result": result]
      )
    }
    page.histogram(
      "gatehouse_provider_request_duration_seconds",
      "From a request to its whole answer.",
      counts.requestTimes
    )
    let help = "Tokens, as providers counted them."
    page.counter("gatehouse_model_tokens_total", help, counts.tokensIn, ["direction": "in"])
    page.counter("gatehouse_model_tokens_total", help, counts.tokensOut, ["direction": "out"])
  }
}

/// A model whose requests are counted.
struct CountedModel<Base: Model>: Model {
  let base: Base
  let counters: PlaneCounters

  var name: String { base.name }

  func answer(
    _ request: ModelRequest,
    deliver: @Sendable (ModelEvent) async -> Void
  ) async throws -> ModelAnswer {
    let began = ContinuousClock.now
    do {
      let answer = try await base.answer(request, deliver: deliver)
      note("ok", answer.usage, since: began)
      return answer
    } catch {
      let code = (error as? ProviderError).map { LogRecord.word("\($0.code)") }
      note(code ?? (error is CancellationError ? "cancelled" : "failed"), since: began)
      throw error
    }
  }

  private func note(
    _ result: String,
    _ usage: ModelUsage = ModelUsage(),
    since began: ContinuousClock.Instant
  ) {
    let time = ContinuousClock.now - began
    counters.modelAsked(result, usage, took: time)
    Plane.log.debug(
      "model_request",
      metadata: [
        "model": "\(name)", "result": "\(result)", "duration_ms": "\(time.wholeMilliseconds)",
        "tokens_in": "\(usage.inputTokens)", "tokens_out": "\(usage.outputTokens)",
      ]
    )
  }
}

extension Duration {
  var wholeMilliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
