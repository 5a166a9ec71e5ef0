import Broker
import Calls
import FoundationEssentials
import Identity
import RPC
import SwiftProtobuf
import Testing
import Wire

/// What a broker does with the calls of an earlier one.
@Suite(.timeLimit(.minutes(5))) struct InheritanceTests {
  private static let id = "call_00000000000000000000000001"

  private static func inherited(
    from instance: UInt8? = 1,
    _ change: (inout CallOrder) -> Void = { _ in }
  ) -> InheritedCall {
    var order = CallOrder(
      principal: .test("ann"),
      workspace: "one",
      tool: "process.exec",
      request: [1, 2, 3]
    )
    order.idempotencyKey = "key"
    order.acknowledges = true
    order.resumes = true
    change(&order)
    var call = InheritedCall(
      id: id,
      workspace: WorkspaceEntry(id: "ws_one", name: "one"),
      order: order,
      digest: digest,
      created: Int64(Date().timeIntervalSince1970 * 1_000_000),
      timeout: .seconds(600),
      intent: 7
    )
    call.instance = instance.flatMap { InstanceID(bytes: [UInt8](repeating: $0, count: 16)) }
    return call
  }

  /// Of `process.exec` and 1, 2, 3.
  private static let digest = CallOrder(
    principal: .test("ann"),
    workspace: "one",
    tool: "process.exec",
    request: [1, 2, 3]
  ).digest

  private func comeBack(_ rig: Rig, from position: UInt64 = 0) async throws -> ScriptedCall {
    try await rig.client().start { start in
      start.idempotencyKey = "key"
      start.acknowledges = true
      start.resumes = true
      if position > 0 { start.from = [offset(.stdout, position)] }
    }
  }

  @Test func `its daemon goes on, and its owner from where it was`() async throws {
    let rig = try await Rig()
    await rig.broker.inherit([Self.inherited()])
    // It is under way before its daemon is back, too.
    #expect(await rig.broker.calls(in: "ws_one").all == 1)
    let daemon = try await rig.daemon(knowing: [Self.id])
    let resume = try await daemon.expectResume()
    #expect(resume.callID == Self.id)
    // What the owner has taken is not known here, so all that is kept comes again.
    #expect(resume.acknowledged.isEmpty)
    let carry = try await daemon.carry(Self.id, ticket: resume.ticket)
    try await carry.send {
      $0.gap.stream = .stdout
      $0.gap.length = 50
    }
    try await carry.send(stdout: pattern(50..<150), at: 50)
    let call = try await comeBack(rig, from: 60)
    let accepted = try await call.expectAccepted()
    #expect(accepted.callID == Self.id)
    #expect(accepted.repeatedKey)
    #expect(try await call.readOutput(90, from: 60) == pattern(60..<150))
    async let isOver: Void = carry.exit(code: 3, stdout: 150)
    var exit: Gatehouse_Tools_V1_Exit?
    while exit == nil { if case .exit(let end) = try await call.next().message { exit = end } }
    #expect(exit?.code == 3)
    // Until it says that it has all of it, the daemon keeps the call.
    try await call.send { $0.ack.offsets = [offset(.stdout, 150)] }
    try await isOver
    #expect(try await call.stream.next() == nil)
    await rig.close()
  }

  @Test func `what was not started is offered in its turn`() async throws {
    let rig = try await Rig()
    await rig.broker.inherit([Self.inherited()])
    let daemon = try await rig.daemon(instance: 1)
    let offer = try await daemon.expectOffer()
    #expect(offer.callID == Self.id)
    #expect(Array(offer.request) == [1, 2, 3])
    #expect(Array(offer.digest) == Self.digest)
    let call = try await comeBack(rig)
    _ = try await call.expectAccepted()
    try await daemon.carry(offer).send { $0.exit.outcome = .exited }
    while true {
      guard case .exit(let exit) = try await call.next().message else { continue }
      #expect(exit.outcome == .exited)
      break
    }
    await rig.close()
  }

  @Test func `what nobody can come back to is not started`() async throws {
    let rig = try await Rig()
    await rig.broker.inherit([
      Self.inherited {
        $0.idempotencyKey = ""
        $0.resumes = false
      }
    ])
    let daemon = try await rig.daemon(instance: 1)
    _ = try await rig.client().start { $0.tool = "files.read" }
    #expect(try await daemon.expectOffer().tool == "files.read")
    let exit = try await rig.client().follow(Self.id).expectExit()
    #expect(exit.outcome == .cancelled)
    await rig.close()
  }

  /// The daemon started anew, and may have run it before; or it had it, and has it no more.
  @Test(arguments: [(2, false), (1, true)] as [(UInt8, Bool)])
  func `what may have run is lost, and not run again`(
    instance: UInt8,
    wasStarted: Bool
  ) async throws {
    let rig = try await Rig()
    var inherited = Self.inherited()
    inherited.wasStarted = wasStarted
    await rig.broker.inherit([inherited])
    let call = try await comeBack(rig)
    _ = try await call.expectAccepted()
    _ = try await rig.daemon(instance: instance)
    while true {
      guard case .exit(let exit) = try await call.next().message else { continue }
      #expect(exit.outcome == .lost)
      break
    }
    #expect(await rig.broker.statistics.calls.offered == 0)
    await rig.close()
  }

  @Test func `a call whose owner does not come back is cancelled`() async throws {
    let rig = try await Rig { $0.ownerReturn = .milliseconds(20) }
    await rig.broker.inherit([Self.inherited()])
    let daemon = try await rig.daemon(knowing: [Self.id])
    _ = try await daemon.expectResume()
    #expect(try await daemon.expectCancel() == Self.id)
    await rig.close()
  }

  @Test func `a detached one goes on alone`() async throws {
    let rig = try await Rig { $0.ownerReturn = .milliseconds(1) }
    await rig.broker.inherit([Self.inherited { $0.isDetached = true }])
    let daemon = try await rig.daemon(knowing: [Self.id])
    let resume = try await daemon.expectResume()
    let carry = try await daemon.carry(Self.id, ticket: resume.ticket)
    try await carry.send(stdout: pattern(0..<10), at: 0)
    try await carry.exit(stdout: 10)
    let follow = try await rig.client().follow(Self.id)
    #expect(try await follow.readOutput(10) == pattern(0..<10))
    await rig.close()
  }

  private static func ended(resumes: Bool) -> InheritedCall {
    var inherited = inherited { $0.resumes = resumes }
    var exit = Gatehouse_Tools_V1_Exit()
    exit.outcome = .exited
    exit.code = 4
    exit.totals = [total(.stdout, 100)]
    inherited.end = (exit, inherited.created)
    return inherited
  }

  @Test func `what is left of one that had ended comes from its daemon`() async throws {
    let journal = HeldJournal()
    let rig = try await Rig { $0.journal = journal }
    await rig.broker.inherit([Self.ended(resumes: true)])
    let call = try await comeBack(rig, from: 70)
    #expect(try await call.expectAccepted().repeatedKey)
    let daemon = try await rig.daemon(knowing: [Self.id])
    let carry = try await daemon.carry(Self.id, ticket: daemon.expectResume().ticket)
    try await carry.send {
      $0.gap.stream = .stdout
      $0.gap.length = 60
    }
    try await carry.send(stdout: pattern(60..<100), at: 60)
    try await carry.send { message in
      message.exit.outcome = .exited
      message.exit.code = 4
      message.exit.totals = [total(.stdout, 100)]
    }
    #expect(try await call.readOutput(30, from: 70) == pattern(70..<100))
    var code: Int32?
    while code == nil { if case .exit(let end) = try await call.next().message { code = end.code } }
    #expect(code == 4)
    // It was recorded before.
    #expect(!journal.events.contains { $0.hasPrefix("ended") })
    await rig.close()
  }

  @Test func `one that had ended is told as such, and counted no second time`() async throws {
    let rig = try await Rig { $0.ownerReturn = .seconds(3_600) }
    await rig.broker.inherit([Self.ended(resumes: true)])
    let client = try await rig.client()
    let listed = try await client.unary(
      "List",
      Gatehouse_Tools_V1_ListRequest(),
      as: Gatehouse_Tools_V1_ListResponse.self
    )
    #expect(listed.calls.map(\.state) == [.ended] && listed.calls.map(\.code) == [4])
    #expect(await rig.broker.statistics.calls.all == 0)
    let answer = try await client.unary(
      "Cancel",
      Gatehouse_Tools_V1_CancelRequest.with { $0.callID = Self.id },
      as: Gatehouse_Tools_V1_CancelResponse.self
    )
    #expect(answer.alreadyEnded && answer.exit.code == 4)
    // Its daemon does not know it any more.
    let daemon = try await rig.daemon()
    let exit = try await client.follow(Self.id).expectExit()
    #expect(exit.outcome == .exited && exit.code == 4)
    #expect(await rig.broker.statistics.counters.callsEnded.isEmpty)
    await daemon.cut()
    await rig.close()
  }

  @Test func `one that had ended waits for its owner no longer than that may take`() async throws {
    let rig = try await Rig { $0.ownerReturn = .milliseconds(1) }
    await rig.broker.inherit([Self.ended(resumes: true)])
    // Without any link.
    let exit = try await rig.client().follow(Self.id).expectExit()
    #expect(exit.outcome == .exited && exit.code == 4)
    await rig.close()
  }

  @Test func `one that had ended gives back the window of its owner's input`() async throws {
    let rig = try await Rig {
      $0.ownerReturn = .seconds(3_600)
      $0.ownerGrace = .milliseconds(1)
    }
    await rig.broker.inherit([Self.ended(resumes: true)])
    let client = try await rig.client()
    let call = try await client.start { start in
      start.idempotencyKey = "key"
      start.acknowledges = true
      start.resumes = true
    }
    try await call.stream.send(Chunk.message(stream: .stdin, offset: 0, data: [1]))
    while await rig.broker.inputPromised == 0 { try Task.checkCancellation() }
    await client.connection.closeClient()
    _ = try await rig.client().follow(Self.id).expectExit()
    #expect(await rig.broker.inputPromised == 0)
    await rig.close()
  }

  @Test func `what its daemon has not any more is a gap, and the end as recorded`() async throws {
    let rig = try await Rig()
    await rig.broker.inherit([Self.ended(resumes: true)])
    let call = try await comeBack(rig, from: 70)
    #expect(try await call.expectAccepted().repeatedKey)
    _ = try await rig.daemon()
    var heard: [Gatehouse_Tools_V1_InvokeResponse.OneOf_Message] = []
    while heard.count < 2 {
      let message = try await call.next().message
      if case .state = message { continue }
      if let message { heard.append(message) }
    }
    guard case .gap(let gap) = heard[0], case .exit(let exit) = heard[1] else {
      throw Unexpected(what: "\(heard)")
    }
    #expect(gap.offset == 70 && gap.length == 30)
    #expect(exit.outcome == .exited && exit.code == 4)
    await rig.close()
  }

  @Test func `one that had ended is told to who comes back, with what is gone`() async throws {
    let rig = try await Rig()
    await rig.broker.inherit([Self.ended(resumes: false)])
    let call = try await comeBack(rig, from: 70)
    #expect(try await call.expectAccepted().repeatedKey)
    guard case .gap(let gap) = try await call.next().message else {
      throw Unexpected(what: "no gap")
    }
    #expect(gap.offset == 70 && gap.length == 30)
    guard case .exit(let end) = try await call.next().message else {
      throw Unexpected(what: "no exit")
    }
    #expect(end.code == 4)
    // A daemon that still has it may forget it.
    let daemon = try await rig.daemon(knowing: [Self.id])
    guard case .forget(let forget) = try await daemon.next().message else {
      throw Unexpected(what: "no forget")
    }
    #expect(forget.callIds == [Self.id])
    await rig.close()
  }

  @Test func `nothing new is started for who has output already`() async throws {
    let rig = try await Rig()
    _ = try await rig.daemon()
    let call = try await comeBack(rig, from: 1)
    let error = await #expect(throws: RPCStatus.self) { _ = try await call.next() }
    #expect(error?.code == .notFound)
    await rig.close()
  }

  @Test func `a key whose call is not kept any more starts nothing`() async throws {
    let rig = try await Rig()
    _ = try await rig.daemon()
    let key = InheritedKey(
      principal: "spiffe://test/user/ann",
      issuerPin: "issuer",
      key: "key",
      digest: Self.digest,
      call: Self.id,
      workspace: "ws_one",
      ended: Int64(Date().timeIntervalSince1970 * 1_000_000)
    )
    await rig.broker.inherit([], keys: [key])
    let call = try await comeBack(rig)
    let error = await #expect(throws: RPCStatus.self) { _ = try await call.next() }
    #expect(error?.code == .alreadyExists)
    await rig.close()
  }

  // MARK: Records and owners

  @Test func `its daemon may forget it when its end is kept, not before`() async throws {
    let journal = HeldJournal()
    journal.holdsEnds = true
    let rig = try await Rig { $0.journal = journal }
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    await journal.held()
    journal.release()
    let carry = try await daemon.carry(daemon.expectOffer())
    try await carry.send { $0.exit.outcome = .exited }
    await carry.stream.halfClose()
    // Its owner waits for no record.
    let id = try await call.expectAccepted().callID
    #expect(try await call.expectExit().outcome == .exited)
    await carry.stream.cancel()
    try await daemon.send { $0.unclaimed.callID = id }
    // An answer behind that one would have been sent behind a forget.
    _ = try await rig.client().start()
    await journal.held()
    journal.release()
    _ = try await daemon.expectOffer()
    journal.releaseEnds()
    guard case .forget = try await daemon.next().message else {
      throw Unexpected(what: "no forget")
    }
    await rig.close()
  }

  @Test func `an offer to another run of the daemon is kept before it leaves`() async throws {
    let journal = HeldJournal()
    let rig = try await Rig { $0.journal = journal }
    let first = try await rig.daemon(instance: 1)
    _ = try await rig.client().start()
    await journal.held()
    await first.cut()
    while await !rig.broker.waitForLink(of: "ws_one", toBe: false, within: .seconds(30)) {}
    journal.release()
    let second = try await rig.daemon(instance: 2)
    await journal.held()
    #expect(journal.events.last == "to offer 101 elsewhere")
    journal.release()
    _ = try await second.expectOffer()
    await rig.close()
  }

  /// As long as the broker waits, or as long as it says itself.
  @Test(arguments: [0, 600_000] as [UInt32])
  func `an owner whose connection was cut comes back in time`(grace: UInt32) async throws {
    let rig = try await Rig { if grace > 0 { $0.ownerGrace = .zero } }
    let daemon = try await rig.daemon()
    let client = try await rig.client()
    let first = try await client.start { start in
      start.idempotencyKey = "key"
      start.acknowledges = true
      start.resumes = true
      start.graceMs = grace
    }
    let carry = try await daemon.carry(daemon.expectOffer())
    try await carry.send(stdout: pattern(0..<100), at: 0)
    #expect(try await first.readOutput(100) == pattern(0..<100))
    await client.connection.closeClient()
    let second = try await comeBack(rig, from: 40)
    #expect(try await second.expectAccepted().repeatedKey)
    #expect(try await second.readOutput(60, from: 40) == pattern(40..<100))
    await rig.close()
  }

  @Test func `an owner that wants to be waited for too long is told so`() async throws {
    let rig = try await Rig()
    _ = try await rig.daemon()
    let call = try await rig.client().start { $0.graceMs = 600_001 }
    let error = await #expect(throws: RPCStatus.self) { try await call.next() }
    #expect(error?.code == .invalidArgument)
    await rig.close()
  }

  @Test func `an owner who leaves is not waited for`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await comeBack(rig)
    _ = try await call.expectAccepted()
    _ = try await daemon.carry(daemon.expectOffer())
    await call.stream.cancel()
    _ = try await daemon.expectCancel()
    await rig.close()
  }
}
