internal import Calls
internal import Crypto
internal import Logging
internal import Metrics
internal import Providers
internal import Synchronization

/// Sends the ledger's checkpoints to a web address, so that they are where the plane cannot change
/// them: a POST of the signed note, as the file outside has it.
///
/// Only the newest waits, since it vouches for all before it: it is sent again, with a back-off, until
/// the other end takes it (2xx) or a newer one takes its place. The ledger waits for none of that.
final class CheckpointWebhook: Sendable {
  private let url: String
  private let timeout: Duration
  private let client: HTTPClient
  private let state = Mutex(State())
  /// Something waits.
  private let wakes: AsyncStream<Void>
  private let wake: AsyncStream<Void>.Continuation

  /// Between attempts, at most.
  static let longestWait = Duration.seconds(30)
  /// For a last attempt when the plane stops, at most.
  static let stopTime = Duration.seconds(3)
  private static let maxAnswer = 4_096

  struct Note: Sendable, Equatable {
    /// The last event that it vouches for.
    let size: UInt64
    let text: String
  }

  private struct State {
    var waiting: Note?
    var delivered: UInt64 = 0
    var failed: UInt64 = 0
    var lastSize: UInt64 = 0
    var isFailing = false
  }

  /// - Throws: `HTTPError` when curl or its thread cannot be had.
  init(url: String, timeout: Duration) throws(HTTPError) {
    self.url = url
    self.timeout = timeout
    client = try HTTPClient()
    (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// A checkpoint was signed; takes the place of one that waits. Returns at once.
  func offer(_ note: Note) {
    state.withLock { $0.waiting = note }
    wake.yield()
  }

  /// Sends what comes, until its task is cancelled.
  func run() async {
    for await _ in wakes {
      var backoff = Backoff(longest: Self.longestWait)
      var random = SecureRandom.Generator()
      while !Task.isCancelled, let note = state.withLock({ $0.waiting }) {
        if await deliver(note, within: timeout) {
          backoff = Backoff(longest: Self.longestWait)
        } else {
          try? await Task.sleep(for: backoff.next(random: &random))
        }
      }
    }
  }

  /// Tries once more to send what waits. Behind the end of `run`.
  func finish() async {
    guard let note = state.withLock({ $0.waiting }) else { return }
    _ = await deliver(note, within: min(timeout, Self.stopTime))
  }

  /// - Returns: whether it was taken.
  private func deliver(_ note: Note, within time: Duration) async -> Bool {
    let problem = await send(note, within: time)
    // A plane that stops has broken it off.
    guard problem == nil || !Task.isCancelled else { return false }
    let isNews = state.withLock { state in
      defer { state.isFailing = problem != nil }
      guard problem == nil else {
        state.failed += 1
        return !state.isFailing
      }
      state.delivered += 1
      state.lastSize = note.size
      if state.waiting == note { state.waiting = nil }
      return state.isFailing
    }
    // Once for each run of failures; the address may hold a secret, so it is not named.
    switch problem {
    case let problem? where isNews:
      Plane.log.warning(
        "checkpoint_webhook_failing",
        metadata: ["error": "\(problem)", "event": "\(note.size)"]
      )
    case nil where isNews:
      Plane.log.notice("checkpoint_webhook_resumed", metadata: ["event": "\(note.size)"])
    default: break
    }
    return problem == nil
  }

  /// - Returns: why it was not taken; nil: it was.
  private func send(_ note: Note, within time: Duration) async -> String? {
    var request = HTTPRequest(
      method: "POST",
      url: url,
      headers: [HTTPHeader("Content-Type", "text/plain; charset=utf-8")],
      body: Array(note.text.utf8)
    )
    request.limits.connect = time
    request.limits.idle = max(.seconds(1), time)
    let (client, posted) = (client, request)
    return await withTaskGroup(of: String?.self) { group in
      group.addTask {
        do {
          return try await client.send(posted) { head, body in
            // Read, so that the connection can be used again.
            _ = try await body.collect(limit: Self.maxAnswer)
            return (200..<300).contains(head.status) ? nil : "it answered \(head.status)"
          }
        } catch {
          return "\(error)"
        }
      }
      group.addTask {
        try? await Task.sleep(for: time)
        return "no answer in \(time)"
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
  }

  func add(to page: inout MetricsPage) {
    let (delivered, failed, size, isWaiting) = state.withLock {
      ($0.delivered, $0.failed, $0.lastSize, $0.waiting != nil)
    }
    for (result, count) in [("delivered", delivered), ("failed", failed)] {
      page.counter(
        "gatehouse_checkpoint_webhook_total",
        "Attempts to send a checkpoint to ledger.webhook.",
        count,
        ["result": result]
      )
    }
    page.gauge(
      "gatehouse_checkpoint_webhook",
      "The last event of the newest checkpoint that ledger.webhook took.",
      Int(clamping: size)
    )
    page.gauge(
      "gatehouse_checkpoint_webhook_waiting",
      "1 while a newer checkpoint waits to be taken.",
      isWaiting ? 1 : 0
    )
  }
}
