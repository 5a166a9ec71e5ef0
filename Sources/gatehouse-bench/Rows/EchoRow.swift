internal import EventLoop

/// Unary calls that come back as they went: our server, and proxies in front of it, and peers.
struct EchoRow: Row {
  private static let entrants: [Entrant] = [.grpcSwift, .nghttpx, .haproxy]

  func measure(with options: MeasureOptions, in workbench: Workbench) async throws -> RowResult {
    var result = RowResult()
    let ours = try await Contestant.gatehouseEcho(in: workbench)
    var contestants = [ours]
    for entrant in Self.entrants {
      do {
        contestants.append(try await entrant.start(workbench, ours.server))
      } catch let missing as Missing {
        result.skipped.append(Skipped(row: "echo", missing))
      }
    }
    let load = try await UnaryLoad(EchoService.echo, options, in: workbench)
    let check = EchoCheck(path: EchoService.echo, messageBytes: options.messageBytes)
    for contestant in contestants {
      try await check.run(against: contestant.server, workbench.identities)
      Progress.say("echo: \(contestant.name) answers each byte as it was sent")
    }
    let samples = try await load.sample(contestants, rounds: options.rounds)
    for contestant in contestants {
      result.figures += figures(of: contestant, samples[contestant.name] ?? [], options)
    }
    return result
  }

  private func figures(
    of contestant: Contestant,
    _ samples: [UnaryLoad.Sample],
    _ options: MeasureOptions
  ) -> [Figure] {
    let setting = Setting(
      messageBytes: options.messageBytes,
      links: options.links,
      callsPerLink: options.callsPerLink,
      includes: contestant.includes
    )
    return [
      Figure("echo", contestant.name, .requestsPerSecond, setting, samples.map(\.perSecond)),
      Figure("echo", contestant.name, .cpuPerCall, setting, samples.map(\.cpuMicroseconds)),
    ]
  }
}
