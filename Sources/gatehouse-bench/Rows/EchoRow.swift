/// Unary calls that come back as they went: our server, peers, and proxies in front of our server.
struct EchoRow: Row {
  func measure(with options: MeasureOptions, in workbench: Workbench) async throws -> RowResult {
    let ours = try await Contestant.gatehouseEcho(in: workbench)
    let entrants: [Entrant] = [.grpcSwift, .nghttpx, .haproxy]
    let (peers, skipped) = try await Entrant.start(entrants, workbench, ours.server, for: "echo")
    var result = RowResult(skipped: skipped)
    let echo = try EchoWork(options, in: workbench)
    let assignments = try await echo.assign(to: [ours] + peers)
    let load = UnaryLoad(h2load: try await H2Load(in: workbench), runTime: options.runTime)
    let samples = try await load.sample(assignments, rounds: options.rounds)
    for contestant in [ours] + peers {
      let own = samples[contestant.name] ?? []
      result.figures += Figure.unary("echo", contestant, options, own)
    }
    return result
  }
}

/// The unary echo, as h2load sends it.
struct EchoWork {
  private let work: H2Load.Work
  private let messageBytes: Int
  private let identities: Identities

  init(_ options: MeasureOptions, in workbench: Workbench) throws {
    let message = Array(BytePattern.bytes(from: 1, count: options.messageBytes))
    work = H2Load.Work(
      path: EchoService.echo,
      requestFile: try workbench.write(RequestFile.holding(message), to: "echo.grpc"),
      links: options.links,
      callsPerLink: options.callsPerLink
    )
    messageBytes = options.messageBytes
    identities = workbench.identities
  }

  /// Checks each contestant's answers first.
  func assign(to contestants: [Contestant]) async throws -> [Assignment] {
    let size = messageBytes + RequestFile.prefixBytes
    var assignments: [Assignment] = []
    for contestant in contestants {
      try await EchoCheck.run(against: contestant.server, identities, messageBytes: messageBytes)
      Progress.say("\(contestant.name) gives each byte back as it was sent")
      assignments.append(
        Assignment(contestant: contestant, work: work, answerBytes: size...size)
      )
    }
    return assignments
  }
}

extension Figure {
  /// The two figures of small calls.
  static func unary(
    _ row: String,
    _ contestant: Contestant,
    _ options: MeasureOptions,
    _ samples: [UnaryLoad.Sample]
  ) -> [Figure] {
    let setting = Setting(
      messageBytes: options.messageBytes,
      links: options.links,
      callsPerLink: options.callsPerLink,
      includes: contestant.includes
    )
    return [
      Figure(row, contestant.name, .requestsPerSecond, setting, samples.map(\.perSecond)),
      Figure(row, contestant.name, .cpuPerCall, setting, samples.map(\.cpuMicroseconds)),
    ]
  }
}
