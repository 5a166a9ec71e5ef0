/// Many small calls, and the CPU time they cost the server.
struct UnaryLoad {
  let h2load: H2Load
  /// How long one run shall take.
  let runTime: Duration

  /// One run.
  struct Sample: Sendable {
    let perSecond: Double
    /// Of the contestant, for each call.
    let cpuMicroseconds: Double
  }

  /// Alternating runs, by contestant. The first, short run of each warms it up, and tells how many
  /// requests fill the time of a run.
  func sample(
    _ assignments: [Assignment],
    rounds: Int
  ) async throws -> [String: [Sample]] {
    var requests: [String: Int] = [:]
    for assignment in assignments {
      let warmUp = try await run(assignment, requests: 5_000)
      let fill = Int(warmUp.perSecond * (runTime / .seconds(1)))
      requests[assignment.contestant.name] = max(1_000, fill)
    }
    var samples: [String: [Sample]] = [:]
    try await Rounds.alternate(assignments, rounds: rounds) { assignment in
      let name = assignment.contestant.name
      let sample = try await run(assignment, requests: requests[name] ?? 1_000)
      samples[name, default: []].append(sample)
      Progress.say("\(name): \(Int(sample.perSecond)) calls per second")
    }
    return samples
  }

  private func run(_ assignment: Assignment, requests: Int) async throws -> Sample {
    let cost = try await assignment.run(h2load, requests: requests)
    return Sample(
      perSecond: cost.requestsPerSecond,
      cpuMicroseconds: cost.cpu / .microseconds(1) / Double(requests)
    )
  }
}
