import Broker
import Calls
import Identity
import RPC
import SwiftProtobuf
import Testing
import Wire

@Suite(.timeLimit(.minutes(5))) struct `The broker's journal` {
  private let journal = HeldJournal()

  private func rig() async throws -> Rig {
    try await Rig { [journal] in $0.journal = journal }
  }

  @Test func `no offer leaves before its intent is kept`() async throws {
    let rig = try await rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    await journal.held()
    let waiting = await rig.broker.statistics
    #expect(waiting.calls.queued == 1)
    #expect(waiting.calls.offered == 0)
    #expect(journal.events == ["intended process.exec"])
    journal.release()
    let carry = try await daemon.carry(daemon.expectOffer())
    try await carry.exit()
    #expect(try await call.expectExit().outcome == .exited)
    #expect(
      journal.events == ["intended process.exec", "offered 101", "started 101", "ended 101 exited"]
    )
    await rig.close()
  }

  @Test func `what cannot be kept is refused, and not offered`() async throws {
    let rig = try await rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    await journal.held()
    journal.release("the disk is full; make room")
    _ = try await call.expectAccepted()
    let error = await #expect(throws: RPCStatus.self) { while true { _ = try await call.next() } }
    #expect(error?.code == .unavailable)
    #expect(error?.message == "the disk is full; make room")
    #expect(journal.events == ["intended process.exec"])
    // The next one is; it is the first that the daemon sees.
    _ = try await rig.client().start { $0.tool = "files.read" }
    await journal.held()
    journal.release()
    #expect(try await daemon.expectOffer().tool == "files.read")
    await rig.close()
  }

  @Test func `a key whose call could not be kept stands for nothing`() async throws {
    let rig = try await rig()
    let daemon = try await rig.daemon()
    func ask() async throws -> ScriptedCall {
      let call = try await rig.client().start { $0.idempotencyKey = "key" }
      try #require(!(try await call.expectAccepted().repeatedKey))
      await journal.held()
      return call
    }
    let refused = try await ask()
    journal.release("the disk is full; make room")
    let error = await #expect(throws: RPCStatus.self) {
      while true { _ = try await refused.next() }
    }
    #expect(error?.code == .unavailable)
    _ = try await ask()
    journal.release()
    let offer = try await daemon.expectOffer()
    // From now on it stands for this one.
    let again = try await rig.client().start { $0.idempotencyKey = "key" }
    #expect(try await again.expectAccepted().callID == offer.callID)
    await rig.close()
  }

  @Test func `while nothing can be kept, nothing is taken`() async throws {
    let rig = try await rig()
    _ = try await rig.daemon()
    journal.failure = "the disk is full; make room"
    let call = try await rig.client().start()
    let error = await #expect(throws: RPCStatus.self) { _ = try await call.next() }
    #expect(error?.code == .unavailable)
    #expect(error?.message == "the disk is full; make room")
    #expect(journal.events == ["refused UNAVAILABLE"])
    await rig.close()
  }

  @Test func `a call that is cancelled before its intent is kept is not offered`() async throws {
    let rig = try await rig()
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    let call = try await client.start()
    let id = try await call.expectAccepted().callID
    await journal.held()
    var request = Gatehouse_Tools_V1_CancelRequest()
    request.callID = id
    let answer = try await client.unary(
      "Cancel",
      request,
      as: Gatehouse_Tools_V1_CancelResponse.self
    )
    #expect(answer.exit.outcome == .cancelled)
    journal.release()
    _ = try await client.start { $0.tool = "files.read" }
    await journal.held()
    journal.release()
    #expect(try await daemon.expectOffer().tool == "files.read")
    #expect(
      journal.events.prefix(3) == [
        "intended process.exec", "cancelled 0 by ann: asked for", "ended 0 cancelled",
      ]
    )
    await rig.close()
  }

  @Test func `one that was cancelled meanwhile does not come back into the queue`() async throws {
    journal.holdsEnds = true
    let rig = try await rig()
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    let call = try await client.start()
    let id = try await call.expectAccepted().callID
    await journal.held()
    var request = Gatehouse_Tools_V1_CancelRequest()
    request.callID = id
    _ = try await client.unary("Cancel", request, as: Gatehouse_Tools_V1_CancelResponse.self)
    await daemon.cut()
    while await !rig.broker.waitForLink(of: "ws_one", toBe: false, within: .seconds(30)) {}
    journal.release()
    // Behind the record, which is told on the loop.
    _ = try await client.unary(
      "List",
      Gatehouse_Tools_V1_ListRequest(),
      as: Gatehouse_Tools_V1_ListResponse.self
    )
    #expect(await rig.broker.waitingCount(for: "ws_one") == 0)
    await rig.close()
  }

  @Test func `a link lost meanwhile has the call wait for the next`() async throws {
    let rig = try await rig()
    let first = try await rig.daemon()
    let call = try await rig.client().start()
    await journal.held()
    await first.cut()
    while await !rig.broker.waitForLink(of: "ws_one", toBe: false, within: .seconds(30)) {}
    journal.release()
    let second = try await rig.daemon()
    try await second.carry(second.expectOffer()).exit()
    #expect(try await call.expectExit().outcome == .exited)
    await rig.close()
  }

  @Test func `a daemon forgets a call that was given up once that is kept, not before`()
    async throws
  {
    let rig = try await rig()
    journal.holdsEnds = true
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    await journal.held()
    journal.release()
    let offer = try await daemon.expectOffer()
    // A hole in the output: what this daemon says of the call counts no more.
    try await daemon.carry(offer).send(stdout: [1], at: 5)
    #expect(try await call.expectExit().outcome == .lost)
    // What it hears next is another call's offer.
    _ = try await rig.client().start { $0.tool = "files.read" }
    await journal.held()
    journal.release()
    #expect(try await daemon.expectOffer().tool == "files.read")
    journal.releaseEnds()
    #expect(try await daemon.next().forget.callIds == [offer.callID])
    await rig.close()
  }

  /// A scripted daemon's next offer, before which it was told to forget nothing.
  private func offerNext(_ rig: Rig, _ daemon: ScriptedDaemon) async throws {
    _ = try await rig.client().start { $0.tool = "files.read" }
    await journal.held()
    journal.release()
    #expect(try await daemon.expectOffer().tool == "files.read")
  }

  private static let exit = Gatehouse_Tools_V1_Exit.with {
    $0.outcome = .exited
    $0.code = 7
  }

  @Test func `what became of a call that was given up is kept before it is forgotten`()
    async throws
  {
    let rig = try await Rig { [journal] in
      $0.journal = journal
      $0.timing.stranded = .milliseconds(200)
    }
    let daemon = try await rig.daemon()
    let call = try await rig.client().start { $0.timeoutMs = 86_400_000 }
    await journal.held()
    journal.release()
    let offer = try await daemon.expectOffer()
    _ = try await daemon.carry(offer)
    await daemon.cut()
    #expect(try await call.expectExit().outcome == .lost)
    journal.holdsEnds = true
    let back = try await rig.daemon(knowing: [offer.callID], ended: Self.exit)
    // Another link changes nothing of that.
    await back.cut()
    while await !rig.broker.waitForLink(of: "ws_one", toBe: false, within: .seconds(30)) {}
    let again = try await rig.daemon(knowing: [offer.callID], ended: Self.exit)
    // Nor does that its stream is not taken any more.
    try await again.send { $0.unclaimed.callID = offer.callID }
    try await offerNext(rig, again)
    #expect(journal.events.count { $0 == "found 101" } == 1)
    journal.releaseEnds()
    #expect(try await again.next().forget.callIds == [offer.callID])
    await rig.close()
  }

  @Test func `nor is one forgotten that only its daemon knows of, and its end`() async throws {
    let rig = try await rig()
    journal.holdsEnds = true
    let daemon = try await rig.daemon(knowing: ["call_1"], ended: Self.exit)
    try await daemon.send { $0.unclaimed.callID = "call_1" }
    try await offerNext(rig, daemon)
    #expect(journal.events.contains(#"found ["call_1"] in ws_one"#))
    journal.releaseEnds()
    #expect(try await daemon.next().forget.callIds == ["call_1"])
    await rig.close()
  }

  @Test func `a key that is not here any more stands for its call all the same`() async throws {
    let rig = try await Rig { [journal] in
      $0.journal = journal
      $0.idempotencyKeys = 4
    }
    let daemon = try await rig.daemon()
    func ask(_ key: Int) async throws -> ScriptedCall {
      try await rig.client().start { $0.idempotencyKey = "key \(key)" }
    }
    var ids: [String] = []
    for number in 0..<8 {
      let call = try await ask(number)
      await journal.held()
      journal.release()
      let offer = try await daemon.expectOffer()
      ids.append(offer.callID)
      try await daemon.carry(offer).exit()
      #expect(try await call.expectExit().outcome == .exited)
    }
    let again = try await ask(0)
    let error = await #expect(throws: RPCStatus.self) { while true { _ = try await again.next() } }
    #expect(error?.code == .alreadyExists)
    #expect(error?.message.contains(ids[0]) == true)
    #expect(journal.events.count { $0.hasPrefix("intended") } == 8)
    // One that is here is told as ever.
    #expect(try await ask(7).expectAccepted().callID == ids[7])
    await rig.close()
  }

  @Test func `nor one of those that ended, when there are more than are kept here`() async throws {
    let rig = try await Rig { [journal] in
      $0.journal = journal
      $0.endedCalls = 1
    }
    journal.holdsEnds = true
    let daemon = try await rig.daemon()
    var ids: Set<String> = []
    for _ in 0..<2 {
      let call = try await rig.client().start()
      await journal.held()
      journal.release()
      let offer = try await daemon.expectOffer()
      ids.insert(offer.callID)
      try await daemon.carry(offer).send { $0.exit.outcome = .exited }
      #expect(try await call.expectExit().outcome == .exited)
    }
    await daemon.cut()
    while await !rig.broker.waitForLink(of: "ws_one", toBe: false, within: .seconds(30)) {}
    let again = try await rig.daemon(knowing: ids.sorted())
    _ = try await rig.client().start { $0.tool = "files.read" }
    await journal.held()
    journal.release()
    #expect(try await again.expectOffer().tool == "files.read")
    journal.releaseEnds()
    var forgotten: Set<String> = []
    while forgotten.count < 2 { forgotten.formUnion(try await again.next().forget.callIds) }
    #expect(forgotten == ids)
    await rig.close()
  }
}
