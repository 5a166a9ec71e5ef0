internal import Broker
internal import Crypto
internal import FoundationEssentials
internal import Host
internal import Identity
internal import SwiftProtobuf
internal import Testing
internal import Wire

@testable internal import Ledger
@testable internal import Plane

private typealias Effect = Gatehouse_Tools_V1_FileEffect
private typealias State = Gatehouse_Tools_V1_FileState

/// A file with this text; nil: none.
private func state(_ text: String?, mode: UInt32 = 0o644) -> State? {
  text.map { text in
    .with {
      $0.type = .regular
      $0.bytes = UInt64(text.utf8.count)
      $0.mode = mode
      $0.sha256 = Data(SHA256.hash(Array(text.utf8)))
      $0.kept = .kept
      $0.text = Data(text.utf8)
    }
  }
}

private func effect(
  _ path: String,
  from before: State?,
  to after: State?,
  _ change: Gatehouse_Tools_V1_FileChange = .modified
) -> Effect {
  .with {
    $0.path = Data(path.utf8)
    $0.change = change
    if let before { $0.before = before }
    if let after { $0.after = after }
  }
}

/// The end of a call that changed these files; nil: its daemon did not say.
private func end(_ call: String, _ effects: [Effect]?) throws -> LedgerEvent {
  var header = EventHeader(.callEnded)
  header.call = call
  header.workspace = "ws_1"
  let body = Gatehouse_Ledger_V1_Body.with {
    $0.callEnded = .with {
      $0.exit.outcome = .exited
      if let effects {
        $0.effects = .with {
          $0.files = effects
          $0.source = .scan
        }
      }
    }
  }
  return LedgerEvent(header: header, body: .bytes(try body.serializedBytes()))
}

@Suite struct `What calls changed together` {
  private func files(_ calls: [[Effect]?]) throws -> [Gatehouse_Plane_V1_FileDiff] {
    var fold = ChangeFold()
    for (index, effects) in calls.enumerated() { fold.add(try end("call_\(index)", effects)) }
    return fold.files().map { $0.diff() }
  }

  @Test func `is the way from the first state to the last`() throws {
    let (a, b, c) = (state("one\n"), state("two\n"), state("three\n"))
    let files = try files([[effect("a", from: a, to: b)], [effect("a", from: b, to: c)]])
    #expect(files.count == 1)
    #expect(files[0].diff == "--- a/a\n+++ b/a\n@@ -1,1 +1,1 @@\n-one\n+three\n")
    #expect(files[0].calls == ["call_0", "call_1"])
    #expect(files[0].change == .modified)
    #expect((files[0].added, files[0].removed) == (1, 1))
    #expect(!files[0].others)
    // Texts are in the diff only.
    #expect(files[0].before.text.isEmpty && files[0].before.sha256.count == 32)
  }

  @Test func `is nothing for a file that is as it was, or came and went`() throws {
    let (a, b) = (state("one\n"), state("two\n"))
    #expect(
      try files([
        [effect("a", from: a, to: b), effect("new", from: nil, to: a, .created)],
        [effect("a", from: b, to: a), effect("new", from: a, to: nil, .deleted)],
      ]).isEmpty
    )
  }

  @Test func `is a new file, or one that is gone`() throws {
    let (a, b) = (state("one\n"), state("two\n"))
    let files = try files([
      [effect("new", from: nil, to: a, .created), effect("old", from: a, to: b)],
      [effect("new", from: a, to: b), effect("old", from: b, to: nil, .deleted)],
    ])
    #expect(files.map(\.change) == [.created, .deleted])
    #expect(files[0].diff == "--- /dev/null\n+++ b/new\n@@ -0,0 +1,1 @@\n+two\n")
    #expect(files[1].diff == "--- a/old\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-one\n")
  }

  @Test func `says that something else changed a file in between`() throws {
    let (a, b, c, d) = (state("1\n"), state("2\n"), state("3\n"), state("4\n"))
    let files = try files([[effect("a", from: a, to: b)], [effect("a", from: c, to: d)]])
    #expect(files[0].others)
    #expect(files[0].diff.contains("-1\n+4\n"))
  }

  @Test func `suspects nothing else where it does not know the content`() throws {
    let large = State.with {
      $0.type = .regular
      $0.bytes = 100_000
      $0.kept = .tooLarge
    }
    func digested(_ byte: UInt8) -> State {
      var state = large
      state.sha256 = Data(repeating: byte, count: 32)
      return state
    }
    func areApart(_ left: State, _ found: State) throws -> Bool {
      let last = digested(9)
      return try files([[effect("a", from: large, to: left)], [effect("a", from: found, to: last)]]
      )[0]
      .others
    }
    #expect(try !areApart(digested(1), large))
    #expect(try !areApart(large, digested(1)))
    #expect(try !areApart(digested(1), digested(1)))
    #expect(try areApart(digested(1), digested(2)))
  }

  @Test func `keeps the content over a change of mode, whose text is not kept twice`() throws {
    let (a, b) = (state("one\n"), state("two\n"))
    var (bare, bareAfter) = (b, state("two\n", mode: 0o755))
    bare?.dropText()
    bareAfter?.dropText()
    let files = try files([
      [effect("a", from: a, to: b)], [effect("a", from: bare, to: bareAfter, .modeChanged)],
    ])
    #expect(files[0].after.mode == 0o755)
    #expect(files[0].change == .modified)
    #expect(!files[0].others)
  }

  @Test func `shows the steps where the ends are not kept`() throws {
    var large = State.with {
      $0.type = .regular
      $0.bytes = 100_000
      $0.kept = .tooLarge
      $0.sha256 = Data(repeating: 1, count: 32)
    }
    let before = large
    large.sha256 = Data(repeating: 2, count: 32)
    var step = effect("a", from: before, to: large)
    step.diff = "--- a/a\n+++ b/a\n@@ -1,1 +1,2 @@\n one\n+++ two\n"
    let files = try files([[step]])
    #expect(files[0].diff == step.diff)
    #expect((files[0].added, files[0].removed) == (1, 0))
    step.diff = ""
    let bare = try self.files([[step]])
    #expect(bare[0].diff.isEmpty)
    #expect(bare[0].noDiff == "too large to be kept")
  }

  @Test func `says of each call what may be missing`() throws {
    var fold = ChangeFold()
    fold.add(try end("call_a", nil))
    fold.add(try end("call_b", []))
    var header = EventHeader(.callEnded)
    header.call = "call_c"
    fold.add(LedgerEvent(header: header, body: .erased))
    // It ended when the key was gone.
    header.call = "call_d"
    fold.add(LedgerEvent(header: header, body: .none))
    #expect(fold.summary.calls.map(\.reported) == [false, true, false, false])
    #expect(fold.summary.calls.map(\.erased) == [false, false, true, true])
  }

  @Test func `holds texts up to a bound`() throws {
    var fold = ChangeFold(maxTexts: 100)
    for number in 0..<20 {
      let files = [effect("f\(number)", from: state("one\n"), to: state("two\n"))]
      fold.add(try end("call_\(number)", files))
    }
    let files = fold.files().map { $0.diff() }
    #expect(files.count == 20)
    // Eight bytes each.
    #expect(files.filter { !$0.diff.isEmpty }.count == 12)
    #expect(files.allSatisfy { $0.diff.isEmpty != $0.noDiff.isEmpty })
    #expect(files.allSatisfy { $0.after.sha256.count == 32 })
  }

  @Test func `shows what came before a step that is not kept`() throws {
    let (a, b) = (state("one\n"), state("two\n"))
    var large = state("three\n")
    large?.dropText()
    var step = effect("a", from: b, to: large)
    step.diff = "--- a/a\n+++ b/a\n@@ -1,1 +1,1 @@\n-two\n+three\n"
    let files = try files([[effect("a", from: a, to: b)], [step]])
    #expect(files[0].diff.contains("-one\n+two\n"))
    #expect(files[0].diff.hasSuffix(step.diff))
    #expect(!files[0].diffTruncated)
  }
}

@Suite(.timeLimit(.minutes(5))) struct `Who is told what a call changed` {
  private func principal(_ name: String) throws -> Principal {
    Principal(
      id: try #require(SPIFFEID(.development, .user, name)),
      issuerPin: "sha256//" + Base64.encode([UInt8](repeating: 1, count: 32)),
      certificatePin: "sha256//" + Base64.encode([UInt8](repeating: 9, count: 32)),
      groups: []
    )
  }

  private func draft(
    _ kind: EventKind,
    _ call: String,
    by owner: Principal,
    chat: String = "",
    _ change: (inout Gatehouse_Ledger_V1_Body) -> Void = { _ in }
  ) throws -> EventDraft {
    var header = EventHeader(kind)
    header.principal = EventPrincipal(id: "daemon", issuerPin: nil, keyPin: nil)
    header.onBehalfOf = EventPrincipal(owner)
    header.workspace = "ws_1"
    header.call = call
    header.chat = chat
    var body = Gatehouse_Ledger_V1_Body()
    change(&body)
    let scope: BodyScope = chat.isEmpty ? .owner(EventPrincipal(owner)) : .chat(chat)
    return EventDraft(header, scope: scope, body: try body.serializedBytes())
  }

  private func ended(_ call: String, by owner: Principal, chat: String = "") throws -> EventDraft {
    try draft(.callEnded, call, by: owner, chat: chat) {
      $0.callEnded = .with {
        $0.effects = .with {
          $0.files = [effect("a.txt", from: nil, to: state("one\n"), .created)]
        }
      }
    }
  }

  private func code(_ body: () async throws -> Void) async -> PlaneError.Code? {
    do {
      try await body()
      return nil
    } catch { return (error as? PlaneError)?.code }
  }

  @Test func `its owner is, others hear that there is none`() async throws {
    let folder = try TemporaryState()
    var options = LedgerOptions(origin: "test.example/ledger/1") { 1_790_000_000_000_000 }
    options.describe = { EventFacts.of($0) }
    let ledger = try Ledger(in: folder.folder, options)
    let (ann, bob) = (try principal("ann"), try principal("bob"))
    for event in [
      try draft(.chatStarted, "", by: ann, chat: "chat_1") { $0.chatStarted = .init() },
      try draft(.callIntended, "call_1", by: ann) { $0.callIntended.tool = "process.exec" },
      try ended("call_1", by: ann),
      try draft(.callIntended, "call_2", by: ann) { $0.callIntended.tool = "process.exec" },
      try draft(.callIntended, "call_3", by: ann, chat: "chat_1") { $0.callIntended = .init() },
      try ended("call_3", by: ann, chat: "chat_1"),
      try draft(.callIntended, "call_4", by: ann, chat: "chat_1") { $0.callIntended = .init() },
    ] { _ = try await ledger.append(event) }

    func changes(
      _ who: Principal,
      _ change: (inout Gatehouse_Plane_V1_DiffRequest) -> Void
    ) async throws -> ChangeFold {
      var request = Gatehouse_Plane_V1_DiffRequest()
      change(&request)
      let viewer = AuditViewer(who, trustDomain: .development)
      return try await ChangeReader(reader: AuditReader(ledger: ledger), viewer: viewer)
        .changes(of: request)
    }
    #expect(try await changes(ann) { $0.call = "call_1" }.files().count == 1)
    let chat = try await changes(ann) { $0.chat = "chat_1" }
    #expect(chat.files().count == 1)
    #expect(chat.summary.underWay == 1)
    #expect(chat.summary.calls.map(\.call) == ["call_3"])
    #expect(await code { _ = try await changes(bob) { $0.call = "call_1" } } == .notFound)
    #expect(await code { _ = try await changes(bob) { $0.chat = "chat_1" } } == .notFound)
    #expect(await code { _ = try await changes(ann) { $0.call = "call_9" } } == .notFound)
    #expect(await code { _ = try await changes(ann) { $0.call = "call_2" } } == .failedPrecondition)
    #expect(await code { _ = try await changes(ann) { _ in } } == .invalidArgument)
    _ = try await ledger.erase("chat/chat_1", by: EventPrincipal(ann), rule: "asked for")
    #expect(await code { _ = try await changes(ann) { $0.chat = "chat_1" } } == .failedPrecondition)
    #expect(await code { _ = try await changes(ann) { $0.call = "call_3" } } == .failedPrecondition)
    await ledger.close()
  }
}
