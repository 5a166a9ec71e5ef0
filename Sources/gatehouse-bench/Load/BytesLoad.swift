/// One long answer, and the CPU time its bytes cost whoever passes them on.
struct BytesLoad {
  let h2load: H2Load
  let bytes: Int

  /// One run.
  struct Sample: Sendable {
    let gibPerSecond: Double
    /// Of the contestant, for each GiB.
    let cpuSeconds: Double
  }

  /// Alternating runs, by contestant.
  func sample(
    _ assignments: [Assignment],
    rounds: Int
  ) async throws -> [String: [Sample]] {
    let gib = Double(bytes) / 1_073_741_824
    var samples: [String: [Sample]] = [:]
    try await Rounds.alternate(assignments, rounds: rounds) { assignment in
      let name = assignment.contestant.name
      let cost = try await assignment.run(h2load, requests: 1)
      let sample = Sample(
        gibPerSecond: gib / (cost.elapsed / .seconds(1)),
        cpuSeconds: cost.cpu / .seconds(1) / gib
      )
      samples[name, default: []].append(sample)
      Progress.say("\(name): \(Report.number(sample.gibPerSecond)) GiB per second")
    }
    return samples
  }
}
