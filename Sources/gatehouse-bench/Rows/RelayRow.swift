/// Calls and bytes that pass through: the broker between clients and a daemon, and proxies between
/// clients and the echo server. The CPU time is that of what stands between.
struct RelayRow: Row {
  private static let row = "relay"

  func measure(with options: MeasureOptions, in workbench: Workbench) async throws -> RowResult {
    let plane = try await Contestant.gatehousePlane(in: workbench)
    let recorded = try await Contestant.gatehousePlaneWithLedger(in: workbench)
    let kept = try await Contestant.gatehousePlaneThatKeeps(in: workbench)
    let echo = try await Contestant.gatehouseEcho(in: workbench)
    let (proxies, skipped) = try await Entrant.start(
      [.nghttpx, .haproxy],
      workbench,
      echo.server,
      for: Self.row
    )
    var result = RowResult(skipped: skipped)
    let h2load = try await H2Load(in: workbench)
    let work = RelayWork(options: options, workbench: workbench)
    let planes = try await [work.calls(plane), work.calls(recorded)]
    let calls = try await planes + EchoWork(options, in: workbench).assign(to: proxies)
    let unary = UnaryLoad(h2load: h2load, runTime: options.runTime)
    let callSamples = try await unary.sample(calls, rounds: options.rounds)
    let planesBytes = try await [work.bytes(plane), work.bytes(kept, isKept: true)]
    let bytes = try await planesBytes + work.streams(proxies)
    let byteLoad = BytesLoad(h2load: h2load, bytes: options.streamBytes)
    let byteSamples = try await byteLoad.sample(bytes, rounds: options.rounds)
    for contestant in [plane, recorded] + proxies {
      let own = callSamples[contestant.name] ?? []
      result.figures += Figure.unary(Self.row, contestant, options, own)
    }
    for contestant in [plane, kept] + proxies {
      result.figures += figures(contestant, byteSamples[contestant.name] ?? [])
    }
    return result
  }

  private func figures(_ contestant: Contestant, _ samples: [BytesLoad.Sample]) -> [Figure] {
    let setting = Setting(
      messageBytes: BytePattern.chunkBytes,
      links: 1,
      callsPerLink: 1,
      includes: contestant.includes
    )
    return [
      Figure(Self.row, contestant.name, .gibPerSecond, setting, samples.map(\.gibPerSecond)),
      Figure(Self.row, contestant.name, .cpuPerGiB, setting, samples.map(\.cpuSeconds)),
    ]
  }
}

/// What is relayed, as h2load sends it. Answers are checked before they are counted.
struct RelayWork {
  let options: MeasureOptions
  let workbench: Workbench

  /// Small calls through the broker: each gives its request back as output.
  func calls(_ plane: Contestant) async throws -> Assignment {
    let message = Array(BytePattern.bytes(from: 1, count: options.messageBytes))
    let check = RelayCheck(server: plane.server, identities: workbench.identities)
    let answerBytes = try await check.echo(message, calls: 500)
    Progress.say("gatehouse relays each byte of small calls as it was sent")
    return Assignment(
      contestant: plane,
      work: H2Load.Work(
        path: PlaneMethods.invoke,
        requestFile: try file(invoking: ScriptedDaemon.echoTool, message, "relay-calls.grpc"),
        links: options.links,
        callsPerLink: options.callsPerLink
      ),
      answerBytes: answerBytes
    )
  }

  /// One call with a long output through the broker.
  func bytes(_ plane: Contestant, isKept: Bool = false) async throws -> Assignment {
    let check = RelayCheck(
      server: plane.server,
      identities: workbench.identities,
      isKept: isKept
    )
    try await check.bytes(Self.checkedBytes)
    Progress.say("\(plane.name) relays each byte of a long output as it was sent")
    let request = Array("\(options.streamBytes)".utf8)
    let start = try RelayCheck.start(ScriptedDaemon.bytesTool, request, isKept: isKept)
    let name = isKept ? "relay-kept.grpc" : "relay-bytes.grpc"
    return Assignment(
      contestant: plane,
      work: H2Load.Work(
        path: PlaneMethods.invoke,
        requestFile: try workbench.write(RequestFile.holding(start), to: name),
        links: 1,
        callsPerLink: 1
      ),
      answerBytes: Self.range(options.streamBytes)
    )
  }

  /// As many bytes from the echo server through proxies.
  func streams(_ proxies: [Contestant]) async throws -> [Assignment] {
    let request = RequestFile.holding(Array("\(options.streamBytes)".utf8))
    let work = H2Load.Work(
      path: EchoService.stream,
      requestFile: try workbench.write(request, to: "stream.grpc"),
      links: 1,
      callsPerLink: 1
    )
    var assignments: [Assignment] = []
    for proxy in proxies {
      try await EchoCheck.runStream(
        of: Self.checkedBytes,
        against: proxy.server,
        workbench.identities
      )
      Progress.say("\(proxy.name) passes each byte of a stream as it was sent")
      assignments.append(
        Assignment(
          contestant: proxy,
          work: work,
          answerBytes: Self.range(options.streamBytes)
        )
      )
    }
    return assignments
  }

  private static let checkedBytes = 32 * 1_048_576

  /// Bytes and what may be around them: 64 for each chunk, 1 KiB for the rest.
  private static func range(_ bytes: Int) -> ClosedRange<Int> {
    bytes...bytes + bytes / BytePattern.chunkBytes * 64 + 1_024
  }

  private func file(invoking tool: String, _ request: [UInt8], _ name: String) throws -> String {
    try workbench.write(RequestFile.holding(RelayCheck.start(tool, request)), to: name)
  }
}
