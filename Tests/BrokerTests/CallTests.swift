import Broker
import Calls
import FoundationEssentials
import Identity
import RPC
import Testing
import Wire

@Suite(.timeLimit(.minutes(5))) struct CallTests {
  @Test func `a daemon that sends an exit and no end has its stream ended`() async throws {
    var limits = ConnectionLimits()
    limits.firstMessageTimeout = .milliseconds(200)
    let rig = try await Rig(limits: limits)
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let carry = try await daemon.carry(daemon.expectOffer())
    try await carry.send { $0.exit.outcome = .exited }
    #expect(try await call.expectExit().outcome == .exited)
    let error = await #expect(throws: RPCStatus.self) {
      while try await carry.stream.next() != nil {}
    }
    #expect(error?.code == .deadlineExceeded)
    await rig.close()
  }

  @Test func `a call is offered, carried and ends as the daemon says`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start(request: [7, 8])
    let accepted = try await call.expectAccepted()
    let offer = try await daemon.expectOffer()
    #expect(offer.callID == accepted.callID)
    #expect(offer.digest == accepted.digest)
    #expect(offer.tool == "process.exec")
    #expect(Array(offer.request) == [7, 8])
    let carry = try await daemon.carry(offer)
    try await carry.send(stdout: pattern(0..<1000), at: 0)
    #expect(try await call.readOutput(1000) == pattern(0..<1000))
    try await carry.exit(code: 3, stdout: 1000)
    let exit = try await call.expectExit()
    #expect(exit.outcome == .exited)
    #expect(exit.code == 3)
    await rig.close()
  }

  @Test func `input reaches the tool, and the client hears what was taken`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let carry = try await daemon.carry(daemon.expectOffer())
    try await call.stream.send(Chunk.message(stream: .stdin, offset: 0, data: [1, 2, 3]))
    try await call.send { $0.signal.number = 15 }
    try await call.send { $0.closeStdin.offset = 3 }
    var heard: [Gatehouse_Link_V1_CarryResponse.OneOf_Message?] = []
    for _ in 0..<3 { heard.append(try await carry.next().message) }
    #expect(
      heard.contains {
        if case .chunk(let chunk) = $0 { Array(chunk.data) == [1, 2, 3] } else { false }
      }
    )
    #expect(
      heard.contains { if case .signal(let signal) = $0 { signal.number == 15 } else { false } }
    )
    #expect(
      heard.contains { if case .closeStdin(let close) = $0 { close.offset == 3 } else { false } }
    )
    try await carry.send { $0.ack.offsets = [offset(.stdin, 3)] }
    _ = try await call.expectAccepted()
    #expect(try await call.next().ack.offsets == [offset(.stdin, 3)])
    await rig.close()
  }

  @Test func `a long request follows on the call's own stream`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let request = pattern(0..<200_000)
    let call = try await rig.client().start(request: request)
    let offer = try await daemon.expectOffer()
    #expect(offer.request.isEmpty)
    #expect(offer.requestBytes == 200_000)
    let carry = try await daemon.carry(offer)
    var received: [UInt8] = []
    while received.count < request.count { received += try await carry.next().chunk.data }
    #expect(received == request)
    try await carry.exit()
    #expect(try await call.expectExit().outcome == .exited)
    await rig.close()
  }

  @Test func `bytes that the daemon counted and did not send are a gap`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let carry = try await daemon.carry(daemon.expectOffer())
    try await carry.exit(stdout: 500)
    _ = try await call.expectAccepted()
    #expect(try await call.next().gap.length == 500)
    #expect(try await call.expectExit().outcome == .exited)
    await rig.close()
  }

  /// It would be no smaller on the next stream, and the next.
  @Test func `an exit that is larger than a message ends the call`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let carry = try await daemon.carry(daemon.expectOffer())
    try await carry.send { message in
      message.exit.outcome = .exited
      message.exit.error.message = String(repeating: "x", count: 1 << 20)
    }
    let exit = try await call.expectExit()
    #expect(exit.outcome == .lost)
    #expect(exit.error.message.contains("above the limit"))
    await rig.close()
  }

  @Test func `what a daemon refused was not started`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let offer = try await daemon.expectOffer()
    try await daemon.send { message in
      message.refused.callID = offer.callID
      message.refused.error.code = "unknown_tool"
    }
    let exit = try await call.expectExit()
    #expect(exit.outcome == .refused)
    #expect(exit.error.code == "unknown_tool")
    await rig.close()
  }

  @Test func `without a link there is no call`() async throws {
    let rig = try await Rig()
    let call = try await rig.client().start()
    let error = await #expect(throws: RPCStatus.self) { try await call.next() }
    #expect(error?.code == .unavailable)
    let other = try await rig.client().start(in: "three")
    #expect(await #expect(throws: RPCStatus.self) { try await other.next() }?.code == .notFound)
    await rig.close()
  }

  @Test func `beyond the queue a call is turned down with a delay`() async throws {
    let rig = try await Rig { options in
      options.admission.unclaimedPerDaemon = 1
      options.admission.queuedPerDaemon = 1
    }
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    let first = try await client.start()
    _ = try await first.expectAccepted()
    let second = try await client.start()
    _ = try await second.expectAccepted()
    #expect(try await second.next().state.state == .queued)
    let third = try await client.start()
    let error = await #expect(throws: RPCStatus.self) { try await third.next() }
    #expect(error?.code == .resourceExhausted)
    #expect(error?.trailers["retry-after-ms"] == "101")
    let carry = try await daemon.carry(daemon.expectOffer())
    let next = try await daemon.carry(daemon.expectOffer())
    try await carry.exit()
    try await next.exit()
    #expect(try await second.expectExit().outcome == .exited)
    await rig.close()
  }

  @Test func `a call without a time has the usual one, within the longest`() async throws {
    let rig = try await Rig {
      $0.defaultTimeout = .seconds(3_600)
      $0.longestTimeout = .seconds(60)
    }
    let daemon = try await rig.daemon()
    _ = try await rig.client().start { $0.timeoutMs = 0 }
    #expect((1...60_000).contains(try await daemon.expectOffer().deadlineMs))
    await rig.close()
  }

  @Test func `an owner that goes away cancels its call`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let offer = try await daemon.expectOffer()
    let carry = try await daemon.carry(offer)
    await call.stream.cancel()
    #expect(try await daemon.expectCancel() == offer.callID)
    try await carry.exit(.cancelled)
    await rig.close()
  }

  @Test func `cancel answers with how the call ended`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    let call = try await client.start()
    let id = try await call.expectAccepted().callID
    let carry = try await daemon.carry(daemon.expectOffer())
    var request = Gatehouse_Tools_V1_CancelRequest()
    request.callID = id
    let asked = request
    async let answer = client.unary(
      "Cancel",
      asked,
      as: Gatehouse_Tools_V1_CancelResponse.self
    )
    #expect(try await daemon.expectCancel() == id)
    try await carry.exit(.cancelled)
    #expect(try await answer.exit.outcome == .cancelled)
    #expect(try await call.expectExit().outcome == .cancelled)
    await rig.close()
  }

  @Test func `the key of a call that goes on outlives any number of others`() async throws {
    let rig = try await Rig { $0.idempotencyKeys = 2 }
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    let long = try await client.start { $0.idempotencyKey = "long" }
    let id = try await long.expectAccepted().callID
    let carry = try await daemon.carry(daemon.expectOffer())
    for number in 0..<6 {
      let call = try await client.start { $0.idempotencyKey = "\(number)" }
      _ = try await call.expectAccepted()
      try await daemon.carry(daemon.expectOffer()).exit()
      _ = try await call.expectExit()
    }
    let again = try await client.start { $0.idempotencyKey = "long" }
    #expect(try await again.expectAccepted().callID == id)
    try await carry.exit()
    _ = try await again.expectExit()
    await rig.close()
  }

  @Test func `one key is one call`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    let call = try await client.start { $0.idempotencyKey = "k" }
    let id = try await call.expectAccepted().callID
    let carry = try await daemon.carry(daemon.expectOffer())
    try await carry.send(stdout: pattern(0..<10), at: 0)
    try await carry.exit(stdout: 10)
    _ = try await call.expectExit()
    let again = try await client.start { $0.idempotencyKey = "k" }
    let accepted = try await again.expectAccepted()
    #expect(accepted.callID == id)
    #expect(accepted.repeatedKey)
    #expect(try await again.readOutput(10) == pattern(0..<10))
    #expect(try await again.expectExit().outcome == .exited)
    let other = try await client.start(request: [9]) { $0.idempotencyKey = "k" }
    #expect(
      await #expect(throws: RPCStatus.self) { try await other.next() }?.code == .alreadyExists
    )
    let stranger = try await rig.client("ben").start { $0.idempotencyKey = "k" }
    #expect(try await stranger.expectAccepted().callID != id)
    await rig.close()
  }

  @Test func `a task of this process owns a call`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let order = CallOrder(
      principal: .test("ann"),
      workspace: "one",
      tool: "files.read",
      request: [1]
    )
    let invocation = try await rig.broker.invoke(order)
    // Waited for before it is there, as the loop does.
    async let output = invocation.next()
    let carry = try await daemon.carry(daemon.expectOffer())
    try await carry.send(stdout: pattern(0..<10), at: 0)
    guard case .output(.stdout, offset: 0, let bytes) = try await output else {
      throw Unexpected(what: "no output")
    }
    #expect(bytes == pattern(0..<10))
    async let end = invocation.next()
    try await carry.exit(stdout: 10)
    guard case .exit(let exit) = try await end else { throw Unexpected(what: "no exit") }
    #expect(exit.outcome == .exited)
    #expect(try await invocation.next() == nil)
    await rig.close()
  }
}
