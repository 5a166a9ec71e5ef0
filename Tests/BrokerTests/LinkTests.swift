import Broker
import Calls
import FoundationEssentials
import RPC
import SwiftProtobuf
import Synchronization
import Testing
import Wire

@Suite(.timeLimit(.minutes(5))) struct LinkTests {
  @Test func `after a cut the output goes on where it stopped`() async throws {
    let rig = try await Rig()
    var daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let id = try await call.expectAccepted().callID
    let carry = try await daemon.carry(daemon.expectOffer())
    try await carry.send(stdout: pattern(0..<50_000), at: 0)
    var output = try await call.readOutput(50_000)
    await daemon.cut()
    #expect(try await call.next().state.state == .detached)
    daemon = try await rig.daemon(knowing: [id])
    let resume = try await daemon.expectResume()
    #expect(resume.callID == id)
    #expect(resume.acknowledged == [offset(.stdout, 50_000)])
    let next = try await daemon.carry(id, ticket: resume.ticket)
    try await next.send(stdout: pattern(50_000..<60_000), at: 50_000)
    output += try await call.readOutput(10_000, from: 50_000)
    #expect(output == pattern(0..<60_000))
    try await next.exit(stdout: 60_000)
    #expect(try await call.expectExit().outcome == .exited)
    await rig.close()
  }

  @Test func `a daemon that links again and again is told to wait`() async throws {
    let rig = try await Rig {
      $0.linkBurst = 2
      $0.linkRate = 0
    }
    for _ in 0..<2 { await (try rig.daemon()).cut() }
    let error = await #expect(throws: RPCStatus.self) { try await rig.daemon() }
    #expect(error?.code == .resourceExhausted)
    #expect(error?.message == "workspace 'one' is linked again and again; try again later")
    // Another's is no concern of its.
    _ = try await rig.daemon(of: "ws_two")
    await rig.close()
  }

  @Test func `input that was not taken is sent again`() async throws {
    let rig = try await Rig()
    var daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let id = try await call.expectAccepted().callID
    let carry = try await daemon.carry(daemon.expectOffer())
    try await call.stream.send(Chunk.message(stream: .stdin, offset: 0, data: [1, 2, 3, 4]))
    #expect(try await carry.next().chunk.data.count == 4)
    await daemon.cut()
    #expect(try await call.next().state.state == .detached)
    daemon = try await rig.daemon(knowing: [id])
    let resume = try await daemon.expectResume()
    let next = try await daemon.carry(id, ticket: resume.ticket, stdin: 1)
    let chunk = try await next.next().chunk
    #expect(chunk.offset == 1)
    #expect(Array(chunk.data) == [2, 3, 4])
    await rig.close()
  }

  @Test func `a carry that is cut alone is resumed on the same link`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let carry = try await daemon.carry(daemon.expectOffer())
    try await carry.send(stdout: pattern(0..<10), at: 0)
    _ = try await call.readOutput(10)
    await carry.stream.cancel()
    let resume = try await daemon.expectResume()
    let next = try await daemon.carry(resume.callID, ticket: resume.ticket)
    try await next.exit(stdout: 10)
    #expect(try await call.expectExit().outcome == .exited)
    await rig.close()
  }

  @Test func `a wrong ticket is turned away, and the right one is still good`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let stranger = try await rig.daemon(of: "ws_two")
    let call = try await rig.client().start()
    let offer = try await daemon.expectOffer()
    let claims = [
      try await daemon.claim(offer.callID, ticket: Data(repeating: 0, count: 16)),
      try await daemon.claim(offer.callID, ticket: offer.ticket, epoch: 99),
      try await daemon.claim("call_other", ticket: offer.ticket),
      try await stranger.claim(offer.callID, ticket: offer.ticket),
    ]
    for claim in claims {
      let error = await #expect(throws: RPCStatus.self) { try await claim.stream.next() }
      #expect(error?.code == .notFound)
    }
    let carry = try await daemon.carry(offer)
    try await carry.exit()
    #expect(try await call.expectExit().outcome == .exited)
    let again = try await daemon.claim(offer.callID, ticket: offer.ticket)
    #expect(
      await #expect(throws: RPCStatus.self) { try await again.stream.next() }?.code == .notFound
    )
    await rig.close()
  }

  @Test func `a new instance that does not know the call has lost it`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    _ = try await daemon.carry(daemon.expectOffer())
    await daemon.cut()
    _ = try await rig.daemon(instance: 2)
    let exit = try await call.expectExit()
    #expect(exit.outcome == .lost)
    #expect(exit.error.message.contains("started anew"))
    await rig.close()
  }

  @Test func `a call of a tool that only looks is asked again of a new instance`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let first = try await daemon.expectOffer()
    _ = try await daemon.carry(first)
    await daemon.cut()
    let next = try await rig.daemon(instance: 2, capabilities: ["idempotent:\(first.tool)"])
    let second = try await next.expectOffer()
    #expect(second.callID == first.callID)
    let carry = try await next.carry(second)
    try await carry.exit()
    #expect(try await call.expectExit().outcome == .exited)
    await rig.close()
  }

  /// To give it again would repeat what its owner has, or differ from it.
  @Test func `but not where something of its answer has come`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let first = try await daemon.expectOffer()
    let carry = try await daemon.carry(first)
    try await carry.send(stdout: pattern(0..<10), at: 0)
    #expect(try await call.readOutput(10) == pattern(0..<10))
    await daemon.cut()
    _ = try await rig.daemon(instance: 2, capabilities: ["idempotent:\(first.tool)"])
    #expect(try await call.expectExit().outcome == .lost)
    await rig.close()
  }

  @Test func `a call whose daemon stays away ends, and says what to do`() async throws {
    let rig = try await Rig { $0.timing.stranded = .milliseconds(200) }
    let daemon = try await rig.daemon()
    let call = try await rig.client().start { $0.timeoutMs = 86_400_000 }
    _ = try await daemon.carry(daemon.expectOffer())
    await daemon.cut()
    let exit = try await call.expectExit()
    #expect(exit.outcome == .lost)
    #expect(!exit.treeGone)
    #expect(exit.error.message.contains("run: gatehouse workspace start one"))
    await rig.close()
  }

  @Test(arguments: [true, false])
  func `what became of a call that was called lost is told once it is known`(hasEnded: Bool)
    async throws
  {
    let heard = Mutex<[FoundCall]>([])
    let rig = try await Rig {
      $0.timing.stranded = .milliseconds(200)
      $0.observe = { event in
        if case .callFound(_, let found) = event { heard.withLock { $0.append(found) } }
      }
    }
    let daemon = try await rig.daemon()
    let call = try await rig.client().start { $0.timeoutMs = 86_400_000 }
    let offer = try await daemon.expectOffer()
    _ = try await daemon.carry(offer)
    await daemon.cut()
    #expect(try await call.expectExit().outcome == .lost)
    let exit = Gatehouse_Tools_V1_Exit.with {
      $0.outcome = .exited
      $0.code = 7
      $0.treeGone = true
    }
    for _ in 0..<2 {
      let back = try await rig.daemon(knowing: [offer.callID], ended: hasEnded ? exit : nil)
      #expect(try await back.next().forget.callIds == [offer.callID])
      await back.cut()
    }
    let found = heard.withLock { $0 }
    #expect(found.map(\.isRunning) == [!hasEnded])
    #expect(found.first?.exit == (hasEnded ? exit : nil))
    await rig.close()
  }

  @Test func `the end of a workspace's calls is waited for, but not for ever`() async throws {
    let rig = try await Rig { $0.admission.unclaimedPerDaemon = 1 }
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    let obedient = try await client.start()
    let first = try await daemon.carry(daemon.expectOffer())
    let stubborn = try await client.start()
    let stuck = try await daemon.carry(daemon.expectOffer())
    let offered = try await client.start()
    let last = try await daemon.expectOffer()
    let queued = try await client.start()
    _ = try await queued.expectAccepted()
    rig.directory.stop()
    let end = Task { await rig.broker.endCalls(of: "ws_one", within: .seconds(3)) }
    for _ in 0..<3 { _ = try await daemon.expectCancel() }
    try await first.exit(.cancelled)
    try await daemon.send { $0.refused.callID = last.callID }
    #expect(try await queued.expectExit().outcome == .cancelled)
    #expect(try await obedient.expectExit().outcome == .cancelled)
    #expect(try await offered.expectExit().outcome == .refused)
    let lost = try await stubborn.expectExit()
    #expect(lost.outcome == .lost)
    #expect(lost.error.message == "workspace 'one' was stopped before it said how the call ended")
    await end.value
    let late = try await client.start()
    let refusal = await #expect(throws: RPCStatus.self) { try await late.next() }
    #expect(refusal?.message.contains("run: gatehouse workspace start one") == true)
    await stuck.stream.cancel()
    await rig.close()
  }

  @Test func `no more calls are offered than there may be streams`() async throws {
    let rig = try await Rig { $0.carriesPerDaemon = 1 }
    let daemon = try await rig.daemon()
    #expect(daemon.welcome.maxCalls == 1)
    let client = try await rig.client()
    let first = try await client.start()
    let carry = try await daemon.carry(daemon.expectOffer())
    let second = try await client.start()
    _ = try await second.expectAccepted()
    #expect(try await second.next().state.state == .queued)
    try await carry.exit()
    #expect(try await first.expectExit().outcome == .exited)
    try await daemon.carry(daemon.expectOffer()).exit()
    #expect(try await second.expectExit().outcome == .exited)
    await rig.close()
  }

  @Test func `an offer that never arrived is made again`() async throws {
    let rig = try await Rig()
    var daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let first = try await daemon.expectOffer()
    await daemon.cut()
    daemon = try await rig.daemon()
    let second = try await daemon.expectOffer()
    #expect(second.callID == first.callID)
    #expect(second.ticket != first.ticket)
    try await daemon.carry(second).exit()
    #expect(try await call.expectExit().outcome == .exited)
    await rig.close()
  }

  @Test func `a daemon that breaks the protocol is told, and loses the call`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let offer = try await daemon.expectOffer()
    let carry = try await daemon.carry(offer)
    try await carry.send(stdout: [1], at: 5)
    let error = await #expect(throws: RPCStatus.self) { try await carry.stream.next() }
    #expect(error?.code == .invalidArgument)
    #expect(try await daemon.next().forget.callIds == [offer.callID])
    let exit = try await call.expectExit()
    #expect(exit.outcome == .lost)
    #expect(exit.error.message.contains("broke the protocol"))
    await rig.close()
  }

  /// Each as large as a position may be: their sum is beyond 64 bits.
  @Test func `a daemon that lost more than there can be does no harm`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let carry = try await daemon.carry(daemon.expectOffer())
    for stream: Gatehouse_Tools_V1_Stream in [.stdout, .stderr, .pty] {
      try await carry.send { message in
        message.gap.stream = stream
        message.gap.length = UInt64(Int64.max)
      }
    }
    try await carry.exit(.exited)
    #expect(try await call.expectExit().outcome == .exited)
    #expect(await rig.broker.statistics.counters.callsEnded == [.exited: 1])
    await rig.close()
  }

  @Test func `a newer link takes over, and the end of the old one leaves it alone`() async throws {
    let rig = try await Rig()
    let old = try await rig.daemon()
    let new = try await rig.daemon()
    #expect(new.welcome.sessionEpoch > old.welcome.sessionEpoch)
    let error = await #expect(throws: RPCStatus.self) { try await old.next() }
    #expect(error?.code == .aborted)
    await old.cut()
    let call = try await rig.client().start()
    try await new.carry(new.expectOffer()).exit()
    #expect(try await call.expectExit().outcome == .exited)
    await rig.close()
  }

  @Test func `calls that the plane does not know are to be forgotten`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon(knowing: ["call_old"])
    #expect(try await daemon.next().forget.callIds == ["call_old"])
    await rig.close()
  }

  @Test func `a silent daemon gets heartbeats, then its link is dead`() async throws {
    let rig = try await Rig { $0.heartbeat = .milliseconds(300) }
    let daemon = try await rig.daemon()
    #expect(daemon.welcome.heartbeatMs == 300)
    #expect(try await daemon.next().heartbeat.sequence == 1)
    #expect(try await daemon.next().heartbeat.sequence == 2)
    let error = await #expect(throws: RPCStatus.self) { while true { _ = try await daemon.next() } }
    #expect(error?.code == .unavailable)
    #expect(await rig.broker.waitForLink(of: "ws_one", toBe: false, within: .seconds(30)))
    await rig.close()
  }

  @Test func `who says no hello hears no heartbeats, only the end`() async throws {
    let rig = try await Rig { $0.heartbeat = .milliseconds(50) }
    let connection = try await rig.connect(as: "spiffe://test/workspace/ws_one")
    let link = try await connection.openStream("/gatehouse.link.v1.Link/Connect")
    let error = await #expect(throws: RPCStatus.self) { try await link.next() }
    #expect(error?.code == .unavailable)
    await rig.close()
  }

  @Test func `a drained daemon is told, and new calls wait for another plane`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    await rig.broker.drain("the plane is restarting")
    #expect(try await daemon.next().drain.reason == "the plane is restarting")
    let call = try await rig.client().start()
    #expect(await #expect(throws: RPCStatus.self) { try await call.next() }?.code == .unavailable)
    await rig.close()
  }

  @Test func `tunnels are refused by name`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let tunnel = try await daemon.connection.openStream("/gatehouse.link.v1.Link/Tunnel")
    #expect(
      await #expect(throws: RPCStatus.self) { try await tunnel.next() }?.code == .unimplemented
    )
    await rig.close()
  }
}
