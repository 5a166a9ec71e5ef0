import Broker
import Calls
import FoundationEssentials
import RPC
import TestSupport
import Testing
import Wire

@Suite(.timeLimit(.minutes(10))) struct `Budgets` {
  private static let first = 64 * 1024
  private static let chunk = 64 * 1024

  @Test func `daemons that send all they may stay within the budget`() async throws {
    let budget = 8 * 1_048_576
    let rig = try await Rig { options in
      options.windowBudget = budget
      options.logWindow = 0
    }
    let client = try await rig.client()
    let daemons = [try await rig.daemon(), try await rig.daemon(of: "ws_two")]
    // They end when they are cancelled; the readers, which stop far into the bulk window, by themselves.
    var floods: [Task<Void, any Error>] = []
    for (daemon, name) in zip(daemons, ["one", "two"]) {
      for number in 0..<20 {
        let call = try await client.start(in: name)
        let carry = try await daemon.carry(daemon.expectOffer())
        floods.append(Task { try await Self.flood(carry) })
        guard number.isMultiple(of: 2) else { continue }
        floods.append(Task { _ = try await call.readOutput(24 * Self.chunk) })
      }
    }
    // nghttp2 keeps up to half of a window's credit back, so what comes before all stand still differs.
    // 40 first windows, of which each may be passed by one message, and the budget.
    let bound = budget + 40 * (Self.first + Self.chunk)
    var statistics = await rig.broker.statistics
    while statistics.windowsPromised < budget || statistics.outputUntaken < budget / 2 {
      #expect(statistics.windowsPromised <= budget)
      #expect(statistics.outputUntaken <= bound)
      statistics = await rig.broker.statistics
    }
    // An honest call has its first window.
    let call = try await client.start(in: "two")
    let carry = try await daemons[1].carry(daemons[1].expectOffer())
    try await carry.send(stdout: pattern(0..<1000), at: 0)
    #expect(try await call.readOutput(1000) == pattern(0..<1000))
    try await carry.exit(stdout: 1000)
    #expect(try await call.expectExit().outcome == .exited)
    #expect(await rig.broker.statistics.outputUntaken <= bound)
    for flood in floods { flood.cancel() }
    for flood in floods { _ = await flood.result }
    await rig.close()
  }

  /// Each stream has 64 KiB before anybody is asked.
  @Test func `a daemon that carries a call again and again stays within the budget`() async throws {
    let budget = 1_048_576
    let rig = try await Rig { options in
      options.windowBudget = budget
      options.logWindow = 0
    }
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    let call = try await client.start()
    let id = try await call.expectAccepted().callID
    let offer = try await daemon.expectOffer()
    var (ticket, position) = (offer.ticket, UInt64(0))
    for _ in 0..<100 {
      let carry = try await daemon.carry(id, ticket: ticket)
      for number in 0..<8 {
        let start = Int(position) + number * 8_000
        try await carry.send(stdout: pattern(start..<start + 8_000), at: UInt64(start))
      }
      await carry.stream.halfClose()
      let cut = await #expect(throws: RPCStatus.self) {
        while try await carry.stream.next() != nil {}
      }
      #expect(cut?.code == .cancelled)
      let resume = try await daemon.expectResume()
      (ticket, position) = (resume.ticket, resume.acknowledged.first?.offset ?? 0)
      let statistics = await rig.broker.statistics
      #expect(statistics.windowsPromised <= budget)
      #expect(statistics.outputUntaken <= budget)
    }
    // What was dropped comes again, and nobody sees that it was.
    let total = 2_000_000
    let carry = try await daemon.carry(id, ticket: ticket)
    let rest = Int(position)
    let writing = Task {
      for start in stride(from: rest, to: total, by: 8_000) {
        let end = min(start + 8_000, total)
        try await carry.send(stdout: pattern(start..<end), at: UInt64(start))
      }
      try await carry.exit(stdout: UInt64(total))
    }
    #expect(try await call.readOutput(total) == pattern(0..<total))
    #expect(try await call.expectExit().outcome == .exited)
    try await writing.value
    #expect(await rig.broker.statistics.windowsPromised == 0)
    await rig.close()
  }

  @Test func `a reader that stopped gets all that waited behind it`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let stopped = try await rig.client().start()
    let carry = try await daemon.carry(daemon.expectOffer())
    let blocks = Soak.count(1_024, 16_384)  // of 64 KiB: 64 MiB, or 1 GiB
    let block = pattern(0..<Self.chunk)
    let writing = Task {
      for number in 0..<blocks {
        try await carry.send(stdout: block, at: UInt64(number * Self.chunk))
      }
      try await carry.exit(stdout: UInt64(blocks * Self.chunk))
    }
    // It reads itself into the bulk window, and stops; then that fills.
    for number in 0..<32 {
      #expect(try await stopped.readOutput(Self.chunk, from: UInt64(number * Self.chunk)) == block)
    }
    // Half of its credit may be kept back by nghttp2.
    while await rig.broker.statistics.outputUntaken < 900_000 { try Task.checkCancellation() }
    let client = try await rig.client()
    for number in 0..<20 {
      let call = try await client.start()
      let beside = try await daemon.carry(daemon.expectOffer())
      try await beside.send(stdout: [UInt8(number)], at: 0)
      try await beside.exit(stdout: 1)
      #expect(try await call.readOutput(1) == [UInt8(number)])
      #expect(try await call.expectExit().outcome == .exited)
    }
    #expect(await rig.broker.statistics.outputHeld < 3 * 1_048_576)
    for number in 32..<blocks {
      #expect(try await stopped.readOutput(Self.chunk, from: UInt64(number * Self.chunk)) == block)
    }
    #expect(try await stopped.expectExit().outcome == .exited)
    try await writing.value
    await rig.close()
  }

  @Test(arguments: [2 * 65_536, 1_000_000])
  func `messages of several windows pass, both ways`(size: Int) async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let request = pattern(0..<size)
    let call = try await rig.client().start(request: request)
    let offer = try await daemon.expectOffer()
    #expect(offer.requestBytes == UInt64(size))
    let carry = try await daemon.carry(offer)
    var received: [UInt8] = []
    while received.count < size { received += try await carry.next().chunk.data }
    #expect(received == request)
    try await carry.send { message in
      message.exit.outcome = .exited
      message.exit.response = Data(request)
    }
    await carry.stream.halfClose()
    #expect(try await Array(call.expectExit().response) == request)
    await rig.close()
  }

  private static func flood(_ carry: ScriptedCarry) async throws {
    let block = [UInt8](repeating: 1, count: chunk)
    var position: UInt64 = 0
    while try await carry.stream.send(
      Chunk.message(stream: .stdout, offset: position, data: block[...])
    ) { position += UInt64(chunk) }
  }
}
