import Calls
import FoundationEssentials
import RPC
import Testing
import Wire

@Suite(.timeLimit(.minutes(5))) struct ReaderTests {
  @Test func `a follower reads from where it says, to the end`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    let call = try await client.start()
    let id = try await call.expectAccepted().callID
    let carry = try await daemon.carry(daemon.expectOffer())
    try await carry.send(stdout: pattern(0..<100), at: 0)
    _ = try await call.readOutput(100)
    let follower = try await client.follow(id, from: 60)
    #expect(try await follower.readOutput(40, from: 60) == pattern(60..<100))
    try await carry.send(stdout: pattern(100..<150), at: 100)
    #expect(try await follower.readOutput(50, from: 100) == pattern(100..<150))
    try await carry.exit(code: 5, stdout: 150)
    #expect(try await follower.expectExit().code == 5)
    await rig.close()
  }

  @Test func `poll gives what follow gives, in pages`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    let call = try await client.start()
    let id = try await call.expectAccepted().callID
    let carry = try await daemon.carry(daemon.expectOffer())
    var request = Gatehouse_Tools_V1_PollRequest()
    request.callID = id
    request.waitMs = 60_000
    let first = request
    async let waiting = client.unary("Poll", first, as: Gatehouse_Tools_V1_PollResponse.self)
    try await carry.send(stdout: pattern(0..<100), at: 0)
    var page = try await waiting
    while page.chunks.isEmpty {
      page = try await client.unary("Poll", first)
    }
    #expect(Array(page.chunks[0].data) == pattern(0..<100))
    #expect(page.next == [offset(.stdout, 100)])
    #expect(!page.hasExit)
    try await carry.exit(code: 4, stdout: 100)
    request.from = page.next
    let last: Gatehouse_Tools_V1_PollResponse = try await client.unary("Poll", request)
    #expect(last.exit.code == 4)
    #expect(last.state == .ended)
    await rig.close()
  }

  @Test func `calls are listed for their owner only, newest first`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    var ids: [String] = []
    for _ in 0..<3 {
      let call = try await client.start()
      ids.append(try await call.expectAccepted().callID)
      let carry = try await daemon.carry(daemon.expectOffer())
      try await carry.exit()
      _ = try await call.expectExit()
    }
    var request = Gatehouse_Tools_V1_ListRequest()
    request.maxCalls = 2
    let page: Gatehouse_Tools_V1_ListResponse = try await client.unary("List", request)
    #expect(page.calls.map(\.callID) == [ids[2], ids[1]])
    #expect(page.more)
    request.before = ids[1]
    let rest: Gatehouse_Tools_V1_ListResponse = try await client.unary("List", request)
    #expect(rest.calls.map(\.callID) == [ids[0]])
    let other: Gatehouse_Tools_V1_ListResponse = try await rig.client("ben").unary("List", request)
    #expect(other.calls.isEmpty)
    let stranger = try await rig.client("ben").follow(ids[0])
    #expect(await #expect(throws: RPCStatus.self) { try await stranger.next() }?.code == .notFound)
    await rig.close()
  }

  @Test func `a stopped reader delays nobody`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let stopped = try await rig.client().start()
    let flood = try await daemon.carry(daemon.expectOffer())
    let flooding = Task {
      var position: UInt64 = 0
      while !Task.isCancelled {
        try await flood.send(stdout: [UInt8](repeating: 1, count: 65536), at: position)
        position += 65536
      }
    }
    #expect(try await stopped.expectAccepted().callID.isEmpty == false)
    let client = try await rig.client()
    for number in 0..<50 {
      let call = try await client.start()
      let carry = try await daemon.carry(daemon.expectOffer())
      try await carry.send(stdout: [UInt8(number)], at: 0)
      try await carry.exit(stdout: 1)
      #expect(try await call.readOutput(1) == [UInt8(number)])
      #expect(try await call.expectExit().outcome == .exited)
    }
    flooding.cancel()
    await flood.stream.cancel()
    _ = await flooding.result
    await rig.close()
  }

  /// Each acknowledgement names one stream, as a client may; what it said before still counts.
  @Test func `streams that are acknowledged apart are taken`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start { $0.acknowledges = true }
    let carry = try await daemon.carry(daemon.expectOffer())
    let block = pattern(0..<65_536)
    try await carry.send([1, 2], of: .stderr, at: 0)
    let writing = Task {
      for number in 0..<64 { try await carry.send(stdout: block, at: UInt64(number * 65_536)) }
      try await carry.exit(stdout: 64 * 65_536)
    }
    while true {
      guard case .chunk(let chunk) = try await call.next().message else { continue }
      #expect(chunk.stream == .stderr)
      break
    }
    try await call.send { $0.ack.offsets = [offset(.stderr, 2)] }
    for number in 0..<64 {
      #expect(try await call.readOutput(65_536, from: UInt64(number * 65_536)) == block)
      try await call.send { $0.ack.offsets = [offset(.stdout, UInt64(number + 1) * 65_536)] }
    }
    #expect(try await call.expectExit().outcome == .exited)
    try await writing.value
    await rig.close()
  }

  @Test func `a large output arrives exact`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let carry = try await daemon.carry(daemon.expectOffer())
    let block = pattern(0..<65536)
    let writing = Task {
      for number in 0..<500 {
        try await carry.send(stdout: block, at: UInt64(number * 65536))
      }
      try await carry.exit(stdout: 500 * 65536)
    }
    for number in 0..<500 {
      #expect(try await call.readOutput(65536, from: UInt64(number * 65536)) == block)
    }
    #expect(try await call.expectExit().outcome == .exited)
    try await writing.value
    await rig.close()
  }
}
