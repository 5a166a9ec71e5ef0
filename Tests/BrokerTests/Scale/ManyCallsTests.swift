import Broker
import Calls
import FoundationEssentials
import RPC
import TestSupport
import Testing
import Wire

@Suite(.timeLimit(.minutes(5))) struct `Many calls` {
  @Test func `a thousand calls at once on one link all end right`() async throws {
    let rig = try await Rig { options in
      options.carriesPerDaemon = 1_000
      options.timing.claim = .seconds(600)
    }
    let daemon = try await rig.daemon(maxCalls: 1_000)
    let client = try await rig.client()
    var calls: [ScriptedCall] = []
    for number in 0..<1_000 { calls.append(try await client.start(request: request(number))) }
    var carries: [(number: Int, carry: ScriptedCarry)] = []
    while carries.count < 1_000 {
      let offer = try await daemon.expectOffer()
      carries.append((number(of: Array(offer.request)), try await daemon.carry(offer)))
    }
    while await rig.broker.statistics.calls.running < 1_000 { try Task.checkCancellation() }
    var random = Seeded(1_000)
    for (number, carry) in carries.shuffled(using: &random) {
      try await carry.send(stdout: output(number), at: 0)
      try await carry.exit(code: Int32(number), stdout: UInt64(output(number).count))
    }
    try await expectEnds(of: calls)
    #expect(await rig.broker.statistics.calls.all == 0)
    #expect(await rig.broker.statistics.windowsPromised == 0)
    await rig.close()
  }

  /// 512 streams and 32 unclaimed offers are the bound; the others wait their turn.
  @Test func `a thousand calls end right within the usual limits`() async throws {
    let rig = try await Rig { $0.timing.claim = .seconds(600) }
    let daemon = try await rig.daemon(maxCalls: 1_000)
    let client = try await rig.client()
    var calls: [ScriptedCall] = []
    for number in 0..<1_000 { calls.append(try await client.start(request: request(number))) }
    let serving = serve(daemon)
    try await expectEnds(of: calls)
    serving.task.cancel()
    _ = await serving.task.result
    #expect(serving.daemon.repeatedOffers == 0)
    await rig.close()
  }

  /// A client library opens no more streams than the server allows, and lets the others wait unseen:
  /// their tickets may run out meanwhile.
  @Test func `clients of a hundred streams come through`() async throws {
    var limits = ConnectionLimits()
    limits.maxConcurrentStreams = 100
    let rig = try await Rig(limits: limits) { $0.timing.claim = .milliseconds(200) }
    let daemon = try await rig.daemon(maxCalls: 1_000)
    let gate = Gate()
    let serving = serve(daemon) { await gate.pass() }
    var calls: [ScriptedCall] = []
    for _ in 0..<3 {
      let client = try await rig.client()
      for _ in 0..<100 {
        calls.append(try await client.start(request: request(calls.count)))
      }
    }
    // The daemon's streams are all in use, and offers come again for those that wait for one.
    while await rig.broker.statistics.carries < 99 { try Task.checkCancellation() }
    while serving.daemon.repeatedOffers < 32 {
      try Task.checkCancellation()
      await Task.yield()
    }
    await gate.open()
    try await expectEnds(of: calls)
    serving.task.cancel()
    _ = await serving.task.result
    await rig.close()
  }

  @Test func `a client whose calls wait for streams of its own gets them in turn`() async throws {
    var limits = ConnectionLimits()
    limits.maxConcurrentStreams = 100
    let rig = try await Rig(limits: limits)
    let serving = serve(try await rig.daemon(maxCalls: 1_000))
    let client = try await rig.client()
    var calls: [ScriptedCall] = []
    for number in 0..<300 { calls.append(try await client.start(request: request(number))) }
    try await expectEnds(of: calls)
    serving.task.cancel()
    _ = await serving.task.result
    await rig.close()
  }

  @Test func `every stream may come by a connection of its own`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    var calls: [ScriptedCall] = []
    var carries: [(carry: ScriptedCarry, connection: Connection)] = []
    for number in 0..<20 {
      calls.append(try await client.start(request: request(number)))
      let offer = try await daemon.expectOffer()
      let connection = try await rig.connect(as: "spiffe://test/workspace/ws_one")
      let carry = try await daemon.carry(offer.callID, ticket: offer.ticket, on: connection)
      try await carry.send(stdout: output(number), at: 0)
      carries.append((carry, connection))
    }
    // Calls go on without the link: their streams are elsewhere.
    await daemon.cut()
    #expect(await rig.broker.waitForLink(of: "ws_one", toBe: false, within: .seconds(30)))
    for (number, entry) in carries.enumerated() {
      try await entry.carry.exit(code: Int32(number), stdout: UInt64(output(number).count))
      await entry.connection.closeClient()
    }
    try await expectEnds(of: calls)
    await rig.close()
  }

  // MARK: What the calls do

  private func request(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }

  private func number(of request: [UInt8]) -> Int { Int(request[0]) << 8 | Int(request[1]) }

  /// Up to some kilobytes, different for each call.
  private func output(_ number: Int) -> [UInt8] {
    pattern(number..<number + 1 + number * 7 % 4_000)
  }

  private func expectEnds(of calls: [ScriptedCall]) async throws {
    for (number, call) in calls.enumerated() {
      let expected = output(number)
      #expect(try await call.readOutput(expected.count) == expected)
      let exit = try await call.expectExit()
      #expect(exit.outcome == .exited)
      #expect(exit.code == Int32(number))
    }
  }

  /// A daemon that runs these calls, each after `wait`.
  private func serve(
    _ daemon: ScriptedDaemon,
    _ wait: @escaping @Sendable () async -> Void = {}
  ) -> (daemon: ServingDaemon, task: Task<Void, any Error>) {
    let serving = ServingDaemon(daemon) { request, position, carry in
      let number = number(of: request)
      let output = output(number)
      await wait()
      if position < output.count {
        try await carry.send(stdout: Array(output[Int(position)...]), at: position)
      }
      try await carry.exit(code: Int32(number), stdout: UInt64(output.count))
    }
    // Ends when the test cancels it.
    return (serving, Task { try await serving.run() })
  }
}

/// Holds tasks back until it is opened.
private actor Gate {
  private var isOpen = false
  private var waiters: [CheckedContinuation<Void, Never>] = []

  func pass() async {
    guard !isOpen else { return }
    await withCheckedContinuation { waiters.append($0) }
  }

  func open() {
    isOpen = true
    for waiter in waiters { waiter.resume() }
    waiters = []
  }
}
