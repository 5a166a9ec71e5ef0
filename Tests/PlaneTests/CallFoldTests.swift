internal import Broker
internal import Calls
internal import Crypto
internal import FoundationEssentials
internal import Host
internal import Identity
internal import Ledger
internal import RPC
internal import SwiftProtobuf
internal import Testing
internal import Wire

@testable internal import Plane

@Suite(.timeLimit(.minutes(5))) struct CallFoldTests {
  /// A ledger as the plane opens it.
  private func open(_ state: TemporaryState) throws -> Ledger {
    var options = LedgerOptions(origin: "test.example/ledger/1") { 1_790_000_000_000_000 }
    options.describe = { EventFacts.of($0) }
    return try Ledger(in: state.folder, options)
  }

  private static let owner = EventPrincipal(
    id: "spiffe://gatehouse.local/user/ann",
    issuerPin: .init([UInt8](repeating: 1, count: 32)),
    keyPin: .init([UInt8](repeating: 2, count: 32))
  )

  private static func draft(
    _ kind: EventKind,
    _ change: (inout Gatehouse_Ledger_V1_Body) -> Void = { _ in }
  ) throws -> EventDraft {
    var header = EventHeader(kind)
    header.principal = owner
    header.workspace = "ws_1"
    header.call = "call_1"
    var body = Gatehouse_Ledger_V1_Body()
    change(&body)
    return EventDraft(header, scope: .owner(owner), body: try body.serializedBytes())
  }

  private static let first = [UInt8](repeating: 1, count: 16)
  private static let second = [UInt8](repeating: 2, count: 16)

  private static var events: [EventDraft] {
    get throws {
      [
        try draft(.callIntended) {
          $0.callIntended = .with {
            $0.tool = "process.exec"
            $0.request = Data([7, 8])
            $0.digest = Data([9])
            $0.timeoutMs = 60_000
            $0.idempotencyKey = "key"
            $0.workspaceName = "one"
            $0.instance = Data(first)
            $0.acknowledges = true
            $0.resumes = true
          }
        },
        try draft(.callOffered) { $0.callOffered.instance = Data(second) },
        try draft(.callStarted),
        try draft(.callCancelled),
        try draft(.callEnded) {
          $0.callEnded.exit.outcome = .exited
          $0.callEnded.exit.code = 3
        },
      ]
    }
  }

  @Test(arguments: 1...5)
  func `a call is what its first events tell`(count: Int) async throws {
    let state = try TemporaryState()
    let ledger = try open(state)
    for draft in try Self.events.prefix(count) { _ = try await ledger.append(draft) }
    await ledger.close()
    let again = try open(state)
    let now: Int64 = 1_790_000_000_000_000 + 1
    let (calls, keys) = try await CallFold.inherited(from: again, now: now)
    await again.close()
    let call = try #require(calls.first)
    #expect(calls.count == 1)
    #expect(keys.isEmpty)
    #expect(call.id == "call_1" && call.intent == 2 && call.workspace.name == "one")
    #expect(call.order.tool == "process.exec" && call.order.request == [7, 8])
    #expect(call.order.idempotencyKey == "key" && call.order.resumes && call.order.acknowledges)
    #expect(EventPrincipal(call.order.principal) == Self.owner)
    #expect(call.timeout == .seconds(60) && call.created == 1_790_000_000_000_000)
    #expect(call.instance?.bytes == (count < 2 ? Self.first : Self.second))
    #expect(call.wasStarted == (count >= 3))
    #expect(call.isCancelled == (count >= 4))
    #expect(call.end?.exit.code == (count == 5 ? 3 : nil))
  }

  /// As a newer plane may have left it.
  @Test func `a call with an event of a kind that is not known is taken over by nobody`()
    async throws
  {
    let state = try TemporaryState()
    let newer = try open(state)
    let kind = EventKind(number: 63)
    for draft in [try Self.events[0], try Self.draft(kind)] { _ = try await newer.append(draft) }
    await newer.close()
    let ledger = try open(state)
    let error = await #expect(throws: LedgerError.self) {
      _ = try await CallFold.inherited(from: ledger, now: 1_790_000_000_000_001)
    }
    #expect(error?.code == .newer)
    #expect(error?.message.contains("event 3 of call call_1 is a 'kind_63'") == true)
    _ = try await ledger.append(Self.events[4])
    await ledger.close()
    // Once it has ended, and long ago, nobody has to know what it was.
    let again = try open(state)
    let (calls, keys) = try await CallFold.inherited(
      from: again,
      now: 1_790_000_000_000_000 + 3_600_000_000
    )
    #expect(calls.isEmpty && keys.count == 1)
    await again.close()
  }

  @Test func `a call that ended hours ago leaves its key alone`() async throws {
    let state = try TemporaryState()
    let ledger = try open(state)
    for draft in try Self.events { _ = try await ledger.append(draft) }
    await ledger.close()
    let again = try open(state)
    let (calls, keys) = try await CallFold.inherited(
      from: again,
      now: 1_790_000_000_000_000 + 3_600_000_000
    )
    #expect(calls.isEmpty)
    let key = try #require(keys.first)
    #expect(key.key == "key" && key.call == "call_1" && key.principal == Self.owner.id)
    let (_, none) = try await CallFold.inherited(
      from: again,
      now: 1_790_000_000_000_000 + 25 * 3_600_000_000
    )
    #expect(none.isEmpty)
    await again.close()
  }

  private func journal(_ ledger: Ledger) throws -> LedgerJournal {
    let domain = try #require(TrustDomain("gatehouse.local"))
    let recorder = Recorder(ledger, trustDomain: domain, models: PlaneModels())
    return LedgerJournal(recorder, RefusalRecorder(recorder))
  }

  /// What a daemon says of a call that an earlier plane gave up, or did not.
  @Test(arguments: [true, false])
  func `what became of a call is kept once, if it was given up`(isLost: Bool) async throws {
    let state = try TemporaryState()
    let ledger = try open(state)
    for draft in try Self.events.prefix(4) { _ = try await ledger.append(draft) }
    _ = try await ledger.append(
      Self.draft(.callEnded) { $0.callEnded.exit.outcome = isLost ? .lost : .exited }
    )
    let journal = try journal(ledger)
    let found = FoundCall(
      .with {
        $0.ended = true
        $0.exit.outcome = .exited
        $0.exit.code = 7
      }
    )
    for (workspace, isKept) in [("ws_2", false), ("ws_1", isLost), ("ws_1", isLost)] {
      await withCheckedContinuation { continuation in
        journal.found(["call_1": found], in: workspace) { continuation.resume() }
      }
      let events = try await ledger.read(from: 7, limit: 10)
      #expect(events.map(\.header.kind) == (isKept ? [.callFound] : []))
      if isKept { #expect(events[0].decoded?.callFound.exit.code == 7) }
    }
    await ledger.close()
  }

  @Test func `a key stands for its call by the record`() async throws {
    let state = try TemporaryState()
    let ledger = try open(state)
    for draft in try Self.events.prefix(2) { _ = try await ledger.append(draft) }
    await ledger.close()
    let again = try open(state)
    let journal = try journal(again)
    let (calls, _) = try await CallFold.inherited(from: again, now: 1_790_000_000_000_001)
    let own = try #require(calls.first)
    func holder(_ id: String, _ key: String) async throws -> String? {
      var order = own.order
      order.idempotencyKey = key
      let other = InheritedCall(
        id: id,
        workspace: own.workspace,
        order: order,
        digest: own.digest,
        created: own.created,
        timeout: own.timeout,
        intent: 0
      )
      return try await withCheckedContinuation { continuation in
        journal.holder(ofKeyOf: CallNote(other)) { continuation.resume(returning: $0) }
      }.get()
    }
    #expect(try await holder("call_2", "key") == "call_1")
    #expect(try await holder("call_1", "key") == nil)
    #expect(try await holder("call_2", "another") == nil)
    await again.close()
  }

  /// The plane was stopped, or killed, between the call's end and its chat's note of it.
  @Test(arguments: [false, true])
  func `a call that its chat has no answer of is kept, however old`(isAnswered: Bool) async throws {
    let state = try TemporaryState()
    let ledger = try open(state)
    var drafts = [
      try Self.draft(.chatStarted) { $0.chatStarted.model = "m" },
      try Self.draft(.chatPrompted) { $0.chatPrompted.prompt = "p" },
    ]
    for index in drafts.indices { drafts[index].header.call = "" }
    drafts += try Self.events
    if isAnswered { drafts.append(try Self.draft(.toolAnswered) { $0.toolAnswered.use = "c1" }) }
    for var draft in drafts {
      draft.header.chat = "chat_1"
      _ = try await ledger.append(draft)
    }
    await ledger.close()
    let again = try open(state)
    let (calls, _) = try await CallFold.inherited(
      from: again,
      now: 1_790_000_000_000_000 + 48 * 3_600_000_000
    )
    await again.close()
    #expect(calls.map(\.id) == (isAnswered ? [] : ["call_1"]))
    #expect(calls.first?.end?.exit.code == (isAnswered ? nil : 3))
  }
}
