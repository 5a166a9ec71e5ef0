internal import EventLoop

/// Small unary calls by h2load, and the CPU time they cost the server.
struct UnaryLoad {
  private let h2load: H2Load
  private let work: H2Load.Work
  private let runTime: Duration
  /// Of each answer, prefix included.
  private let answerBytes: Int

  init(_ path: String, _ options: MeasureOptions, in workbench: Workbench) async throws {
    let message = (0..<options.messageBytes).map { UInt8(truncatingIfNeeded: $0) }
    let request = RequestFile.holding(message)
    h2load = try await H2Load(in: workbench)
    work = H2Load.Work(
      path: path,
      requestFile: try workbench.write(request, to: "unary.grpc"),
      links: options.links,
      callsPerLink: options.callsPerLink
    )
    runTime = options.runTime
    answerBytes = request.count
  }

  /// One run.
  struct Sample: Sendable {
    let perSecond: Double
    /// User and system time of the measured process, for each call.
    let cpuMicroseconds: Double
  }

  /// Alternating runs, by contestant. The first, short run of each warms it up, and tells how many
  /// requests fill the time of a run.
  func sample(
    _ contestants: [Contestant],
    rounds: Int
  ) async throws -> [String: [Sample]] {
    var requests: [String: Int] = [:]
    for contestant in contestants {
      let warmUp = try await run(contestant, requests: 5_000)
      requests[contestant.name] = max(1_000, Int(warmUp.perSecond * (runTime / .seconds(1))))
    }
    var samples: [String: [Sample]] = [:]
    try await Rounds.alternate(contestants, rounds: rounds) { contestant in
      let sample = try await run(contestant, requests: requests[contestant.name] ?? 1_000)
      samples[contestant.name, default: []].append(sample)
      Progress.say("\(work.path): \(contestant.name), \(Int(sample.perSecond)) calls per second")
    }
    return samples
  }

  private func run(_ contestant: Contestant, requests: Int) async throws -> Sample {
    let before = try contestant.process.cpuTime()
    let report = try await h2load.run(work, requests: requests, to: contestant.server)
    let taken = try contestant.process.cpuTime() - before
    // An answer that is an error has no body.
    guard report.dataBytes == requests * answerBytes else {
      throw BenchError(
        "\(contestant.name) answered with \(report.dataBytes) bytes, not \(requests * answerBytes)"
      )
    }
    return Sample(
      perSecond: report.requestsPerSecond,
      cpuMicroseconds: taken / .microseconds(1) / Double(requests)
    )
  }
}
