import Broker
import Calls
import FoundationEssentials
import Metrics
import RPC
import Synchronization
import Testing
import Wire

@Suite(.timeLimit(.minutes(5))) struct `Statistics of the broker` {
  @Test func `a call counts while it runs and when it has ended`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    _ = try await call.expectAccepted()
    let offer = try await daemon.expectOffer()
    #expect(await rig.broker.statistics.calls.offered == 1)
    let carry = try await daemon.carry(offer)
    try await call.stream.send(Chunk.message(stream: .stdin, offset: 0, data: [1, 2, 3]))
    while try await carry.next().chunk.data.count < 3 {}
    try await carry.send(stdout: pattern(0..<1000), at: 0)
    _ = try await call.readOutput(1000)

    let during = await rig.broker.statistics
    #expect(during.calls.running == 1)
    #expect(during.carries == 1)
    #expect(during.windowsPromised > 0)
    #expect(during.counters.traffic.output == 1000)
    #expect(during.counters.traffic.stdin == 3)
    #expect(during.counters.callsEnded.isEmpty)

    // 500 bytes more were counted by the daemon and not sent.
    try await carry.exit(code: 0, stdout: 1500)
    _ = try await call.expectExit()
    let after = await rig.broker.statistics
    #expect(after.calls.all == 0)
    #expect(after.counters.callsAccepted == 1)
    #expect(after.counters.callsEnded == [.exited: 1])
    #expect(after.counters.callTimes.count == 1)
    #expect(after.counters.traffic.output == 1000)
    #expect(after.counters.traffic.lost == 500)
    #expect(after.counters.traffic.stdin == 3)
    #expect(after.windowsPromised == 0)
    await rig.close()
  }

  @Test func `refusals count by status, and wrong tickets`() async throws {
    let rig = try await Rig()
    let client = try await rig.client()
    let unlinked = try await client.start(in: "two")
    await #expect(throws: RPCStatus.self) { try await unlinked.expectAccepted() }
    let unknown = try await client.start(in: "none")
    await #expect(throws: RPCStatus.self) { try await unknown.expectAccepted() }
    let daemon = try await rig.daemon()
    let wrong = try await daemon.claim("call_none", ticket: Data(repeating: 1, count: 16))
    await #expect(throws: RPCStatus.self) { try await wrong.stream.next() }
    let counters = await rig.broker.statistics.counters
    #expect(counters.callsRefused == [.unavailable: 1, .notFound: 1])
    #expect(counters.ticketsRefused == 1)
    await rig.close()
  }

  @Test func `a link says what its workspace did since it came up`() async throws {
    let rig = try await Rig()
    let first = try await rig.daemon()
    let call = try await rig.client().start { $0.detach = true }
    _ = try await call.expectAccepted()
    let carry = try await first.carry(first.expectOffer())
    try await carry.send(stdout: pattern(0..<1000), at: 0)
    _ = try await call.readOutput(1000)
    let link = try #require(await rig.broker.link(of: "ws_one"))
    #expect(link.workspace.name == "one")
    #expect(link.instance == [UInt8](repeating: 1, count: 16))
    #expect(link.peerAddress.hasPrefix("127.0.0.1:"))
    #expect((link.certificateExpires ?? 0) > 0)
    #expect(link.maxCalls == 100)
    #expect(link.calls.running == 1)
    #expect(link.traffic.output == 1000)
    #expect(link.traffic.calls == 0)
    try await carry.exit(stdout: 1000)
    #expect(await rig.broker.link(of: "ws_one")?.traffic.calls == 1)
    await first.cut()
    while await rig.broker.isLinked("ws_one") { try Task.checkCancellation() }
    _ = try await rig.daemon(instance: 2)
    let second = try #require(await rig.broker.link(of: "ws_one"))
    #expect(second.epoch > link.epoch)
    #expect(second.traffic == Traffic())
    #expect(await rig.broker.link(of: "ws_two") == nil)
    await rig.close()
  }

  @Test func `whoever observes hears of links, ends and refusals`() async throws {
    let heard = Heard()
    let rig = try await Rig { $0.observe = { heard.add($0) } }
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    let call = try await client.start()
    _ = try await call.expectAccepted()
    let carry = try await daemon.carry(daemon.expectOffer())
    try await carry.exit(code: 3)
    _ = try await call.expectExit()
    let refused = try await client.start(in: "two")
    await #expect(throws: RPCStatus.self) { try await refused.expectAccepted() }
    await daemon.cut()
    while await rig.broker.isLinked("ws_one") { try Task.checkCancellation() }
    #expect(
      heard.all == [
        "linked one 1", "accepted process.exec", "ended process.exec exited 3",
        "refused two UNAVAILABLE", "unlinked one",
      ]
    )
    await rig.close()
  }
}

private final class Heard: Sendable {
  private let events = Mutex<[String]>([])

  var all: [String] { events.withLock { $0 } }

  func add(_ event: BrokerEvent) {
    let text =
      switch event {
      case .linked(let link): "linked \(link.workspace.name) \(link.epoch)"
      case .unlinked(let link, _): "unlinked \(link.workspace.name)"
      case .callAccepted(_, let order): "accepted \(order.tool)"
      case .callEnded(let call): "ended \(call.call.order.tool) \(call.outcome) \(call.code)"
      case .callFound(let call, let found): "found \(call.order.tool) running: \(found.isRunning)"
      case .callRefused(let order, let status): "refused \(order.workspace) \(status.code.name)"
      case .claimRefused(let call, _): "claim refused \(call)"
      case .outputNotKept(let call, let reason): "not kept \(call) \(reason)"
      case .callOffered, .callStarted, .callCancelled: "for the journal"
      }
    events.withLock { $0.append(text) }
  }
}
