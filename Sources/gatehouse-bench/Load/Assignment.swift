/// What one contestant is asked, and what its answers weigh.
struct Assignment: Sendable {
  let contestant: Contestant
  let work: H2Load.Work
  /// Bytes of one answer, prefixes included. h2load sees no gRPC status; but an answer that is an
  /// error has no body.
  let answerBytes: ClosedRange<Int>

  /// Has h2load send `requests` requests, and gives what they cost.
  func run(_ h2load: H2Load, requests: Int) async throws -> Cost {
    let before = try contestant.process.cpuTime()
    let start = ContinuousClock.now
    let report = try await h2load.run(work, requests: requests, to: contestant.server)
    let elapsed = ContinuousClock.now - start
    let taken = try contestant.process.cpuTime() - before
    let (least, most) = (requests * answerBytes.lowerBound, requests * answerBytes.upperBound)
    guard (least...most).contains(report.dataBytes) else {
      throw BenchError(
        "\(contestant.name) answered with \(report.dataBytes) bytes, not \(least) to \(most)"
      )
    }
    return Cost(requestsPerSecond: report.requestsPerSecond, elapsed: elapsed, cpu: taken)
  }

  struct Cost: Sendable {
    let requestsPerSecond: Double
    let elapsed: Duration
    /// User and system time of the contestant.
    let cpu: Duration
  }
}
