internal import Crypto
internal import EventLoop
internal import Host
internal import Synchronization
internal import Testing

@testable internal import Ledger

@Suite(.timeLimit(.minutes(5))) struct IndexTests {
  private static func draft(
    _ kind: EventKind,
    call: String = "",
    chat: String = "",
    workspace: String = "ws_1",
    by who: EventPrincipal? = .alice,
    scope: BodyScope = .plane,
    _ text: String = ""
  ) -> EventDraft {
    var header = EventHeader(kind)
    header.principal = who
    header.call = call
    header.chat = chat
    header.workspace = workspace
    return EventDraft(header, scope: scope, body: Array(text.utf8))
  }

  /// A body is `tool path key`.
  private static func describe(_ event: LedgerEvent) -> EventFacts? {
    guard let words = event.text?.split(separator: " "), words.count == 3 else { return nil }
    var facts = EventFacts()
    facts.tool = String(words[0])
    facts.paths = words[1].split(separator: ",").map { Array($0.utf8) }
    facts.key = CallKey(key: String(words[2]), digest: [1])
    return facts
  }

  private func open(_ test: TestLedger) throws -> Ledger {
    var options = test.options
    options.describe = { Self.describe($0) }
    return try Ledger(in: test.folder, options)
  }

  private static let bob = EventPrincipal(
    id: "spiffe://test.example/user/bob",
    issuerPin: nil,
    keyPin: nil
  )

  private func filled() async throws -> TestLedger {
    let test = try TestLedger()
    let ledger = try open(test)
    for draft in [
      Self.draft(.callIntended, call: "call_a", "files.edit src/main,src/other k1"),
      Self.draft(.callStarted, call: "call_a"),
      Self.draft(
        .callIntended,
        call: "call_b",
        workspace: "ws_2",
        by: Self.bob,
        "process.exec x k2"
      ),
      Self.draft(.callEnded, call: "call_a"),
      Self.draft(.chatStarted, chat: "chat_a"),
      Self.draft(.chatStarted, chat: "chat_b", by: Self.bob),
      Self.draft(.chatEnded, chat: "chat_b", by: Self.bob),
    ] { _ = try await ledger.append(draft) }
    await ledger.close()
    return test
  }

  private func check(_ ledger: Ledger) async throws {
    func found(_ groups: [[SearchTerm]], newestFirst: Bool = false, limit: Int = 10) async throws
      -> [UInt64]
    {
      try await ledger.search(groups, in: 1...99, newestFirst: newestFirst, limit: limit).sequences
    }
    #expect(try await found([[.call("call_a")]]) == [2, 3, 5])
    #expect(try await found([[.call("call_a")]], newestFirst: true, limit: 2) == [5, 3])
    #expect(try await found([[.tool("files.edit")]]) == [2])
    #expect(try await found([[.path(Array("src/main".utf8))]]) == [2])
    #expect(try await found([[.path(Array("src/other".utf8))]]) == [2])
    #expect(try await found([[.principal("bob")]]) == [4, 7, 8])
    #expect(try await found([[.workspace("ws_2")]]) == [4])
    #expect(try await found([[.chat("chat_b")]]) == [7, 8])
    #expect(try await found([[.kind(.chatStarted), .kind(.chatEnded)]]) == [6, 7, 8])
    #expect(try await found([[.principal("bob")], [.kind(.chatStarted)]]) == [7])
    #expect(try await found([[.principal("carol")]]) == [])
    #expect(try await ledger.openCalls() == [4])
    #expect(try await ledger.openChats() == [6])
    let keys = try await ledger.keptKeys(endedAfter: 0, limit: 10)
    #expect(keys.map(\.key) == ["k1", "k2"])
    #expect(keys.map { $0.ended > 0 } == [true, false])
    #expect(keys[0].principal == EventPrincipal.alice.id)
    #expect(keys[0].issuerPin == EventPrincipal.alice.issuerPin?.bytes)
    #expect(keys.map(\.call) == ["call_a", "call_b"])
  }

  @Test func `events are found by each term, and what is open is known`() async throws {
    let test = try await filled()
    let ledger = try open(test)
    try await check(ledger)
    await ledger.close()
  }

  @Test(arguments: ["removed", "no database", "of another version", "behind", "ahead"])
  func `an index is made from the events again`(what: String) async throws {
    let test = try await filled()
    let path = test.folder.path(of: Indexer.file)
    switch what {
    case "removed": try test.folder.remove(Indexer.file)
    case "no database": try test.folder.write(Array("no database".utf8), to: Indexer.file)
    default:
      let database = try Database(path, .write)
      try database.execute(
        what == "of another version"
          ? "PRAGMA user_version = 99"
          : what == "ahead"
            ? "UPDATE state SET sequence = 1000"
            : """
            UPDATE state SET sequence = 3; DELETE FROM block;
            DELETE FROM posting WHERE term BETWEEN 4 << 55 AND 5 << 55;
            DELETE FROM open_chat; DELETE FROM call_key WHERE key = 'k2';
            UPDATE call_key SET ended = 0; INSERT INTO open_call VALUES ('call_a', 2);
            DELETE FROM open_call WHERE call = 'call_b'
            """
      )
    }
    let ledger = try open(test)
    try await check(ledger)
    await ledger.close()
  }

  @Test func `made anew it is the same, and what differed is mended`() async throws {
    let test = try await filled()
    let database = try Database(test.folder.path(of: Indexer.file), .write)
    let ledger = try open(test)
    #expect(try await ledger.rebuildIndex() == RebuildReport(events: 8, differences: 0))
    // One row too many, one too few, and one that was changed, which is both.
    try database.execute(
      "INSERT INTO posting VALUES (1, 1, x'0100'); DELETE FROM open_chat; UPDATE call_key SET call = 'x'"
        + " WHERE key = 'k1'"
    )
    #expect(try await ledger.rebuildIndex() == RebuildReport(events: 8, differences: 4))
    try await check(ledger)
    #expect(try await ledger.rebuildIndex().differences == 0)
    _ = try await ledger.append(Self.draft(.chatEnded, chat: "chat_a"))
    #expect(try await ledger.events(ofChat: "chat_a").count == 2)
    await ledger.close()
  }

  /// More than two blocks of events: of one kind all, of another each seventh.
  @Test func `events of several blocks are found in either order, page by page`() async throws {
    let test = try TestLedger()
    let ledger = try open(test)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<9_000 {
        group.addTask { _ = try await ledger.append(Self.draft(.callOffered)) }
      }
      try await group.waitForAll()
    }
    for number in 0..<100 {
      _ = try await ledger.append(Self.draft(number % 7 == 0 ? .callEnded : .callStarted))
    }
    _ = try await ledger.rebuildIndex()
    func found(_ kinds: [EventKind], newestFirst: Bool) async throws -> [UInt64] {
      var found: [UInt64] = []
      var range: ClosedRange<UInt64> = 1...ledger.lastSequence
      while true {
        let page = try await ledger.search(
          [kinds.map { .kind($0) }, [.principal("alice")]],
          in: range,
          newestFirst: newestFirst,
          limit: 1_000
        ).sequences
        found += page
        guard page.count == 1_000, let last = page.last else { return found }
        range = newestFirst ? 1...(last - 1) : (last + 1)...ledger.lastSequence
      }
    }
    let all = Array(2...ledger.lastSequence)
    let kinds: [EventKind] = [.callOffered, .callEnded, .callStarted]
    #expect(try await found(kinds, newestFirst: false) == all)
    #expect(try await found(kinds, newestFirst: true) == all.reversed())
    let ends = (0..<100).filter { $0 % 7 == 0 }.map { 9_002 + UInt64($0) }
    #expect(try await found([.callEnded], newestFirst: true) == ends.reversed())
    #expect(try await ledger.rebuildIndex().differences == 0)
    await ledger.close()
  }

  @Test func `events of a time are found whichever way the clock was set`() async throws {
    let test = try TestLedger()
    let hour: Int64 = 3_600_000_000
    let start = test.clock.now
    let ledger = try open(test)
    func fill(_ count: Int) async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<count {
          group.addTask { _ = try await ledger.append(Self.draft(.callOffered)) }
        }
        try await group.waitForAll()
      }
    }
    // A day ahead, then back; each for a block of events at least.
    try await fill(5_000)
    test.clock.now = start + 24 * hour
    try await fill(5_000)
    test.clock.now = start + hour
    try await fill(5_000)
    func times(_ earliest: Int64, _ latest: Int64) async throws -> [Int64: Int] {
      var counts: [Int64: Int] = [:]
      for range in try await ledger.ranges(from: earliest, to: latest) {
        for sequence in stride(from: range.lowerBound, through: range.upperBound, by: 1_000) {
          let limit = Int(min(1_000, range.upperBound - sequence + 1))
          for event in try await ledger.read(from: sequence, limit: limit)
          where (earliest...latest).contains(event.header.time) {
            counts[(event.header.time - start) / hour, default: 0] += 1
          }
        }
      }
      return counts
    }
    for isIndexed in [false, true] {
      if isIndexed { _ = try await ledger.rebuildIndex() }
      #expect(try await times(start + 23 * hour, .max) == [24: 5_000])
      #expect(try await times(start + hour, start + 2 * hour) == [1: 5_000])
      #expect(try await times(start, start + 2 * hour) == [0: 5_001, 1: 5_000])
      #expect(try await times(0, start - 1) == [:])
    }
    // It looks at less than all.
    let ranges = try await ledger.ranges(from: start + 23 * hour, to: .max)
    #expect(ranges == [4_096...12_287])
    await ledger.close()
  }

  @Test func `a call's events are found before the index has them`() async throws {
    let test = try TestLedger()
    let ledger = try open(test)
    for number in 0..<20 {
      _ = try await ledger.append(
        Self.draft(number == 0 ? .callIntended : .callOffered, call: "call_a")
      )
      #expect(try await ledger.events(ofCall: "call_a").count == number + 1)
      let several = try await ledger.events(ofCalls: ["call_a", "call_b"])
      let numbers = several.mapValues { $0.map(\.header.sequence) }
      #expect(numbers == ["call_a": Array(2...UInt64(number + 2))])
    }
    await ledger.close()
  }

  @Test func `one that is made anew at a start says how far it is`() async throws {
    let test = try await filled()
    for end in ["", "-wal", "-shm"] { try test.folder.remove(Indexer.file + end) }
    var options = test.options
    options.indexNoticeDelay = .zero
    let ledger = try Ledger(in: test.folder, options)
    let last = ledger.lastSequence
    await ledger.close()
    #expect(test.notices.list.first == .indexing(done: last, of: last))
  }

  @Test func `keys of calls that ended long ago are dropped`() async throws {
    let test = try await filled()
    let ledger = try open(test)
    let keys = try await ledger.keptKeys(endedAfter: test.clock.now + 1, limit: 10)
    #expect(keys.map(\.key) == ["k2"])
    // Nor are they in one that is made anew.
    #expect(try await ledger.rebuildIndex().differences == 0)
    await ledger.close()
  }

  @Test func `nor are they kept while the ledger is open`() async throws {
    let test = try await filled()
    let ledger = try open(test)
    #expect(try await ledger.keptKeys(endedAfter: 0, limit: 10).map(\.key) == ["k1", "k2"])
    test.clock.now += test.options.keyLife + 3_600_000_001
    let receipt = try await ledger.append(Self.draft(.planeStopped))
    while ledger.index.done < receipt.sequence { await Task.yield() }
    #expect(try await ledger.keptKeys(endedAfter: 0, limit: 10).map(\.key) == ["k2"])
    #expect(try await ledger.rebuildIndex().differences == 0)
    await ledger.close()
  }

  @Test func `what is erased leaves the index, as it does one that is made anew`() async throws {
    let test = try TestLedger()
    let ledger = try open(test)
    for (call, chat) in [("call_a", "chat_a"), ("call_b", "chat_b")] {
      for (kind, text) in [
        (EventKind.callIntended, "files.edit src/main \(call)"),
        (.callEnded, "end src/made,src/main -"),
      ] {
        _ = try await ledger.append(
          Self.draft(kind, call: call, chat: chat, scope: .chat(chat), text)
        )
      }
    }
    // By now the index has them.
    #expect(try await ledger.rebuildIndex() == RebuildReport(events: 5, differences: 0))
    _ = try await ledger.erase("chat/chat_a", by: .alice, rule: "asked for")
    #expect(try await ledger.rebuildIndex() == RebuildReport(events: 6, differences: 0))
    func found(_ terms: [SearchTerm]) async throws -> [UInt64] {
      try await ledger.search([terms], in: 1...99, newestFirst: false, limit: 10).sequences
    }
    #expect(try await found([.tool("files.edit")]) == [4])
    #expect(try await found([.path(Array("src/main".utf8))]) == [4, 5])
    #expect(try await found([.path(Array("src/made".utf8))]) == [5])
    #expect(try await found([.erasedIntent]) == [2])
    #expect(try await found([.tool("files.edit"), .erasedIntent]) == [2, 4])
    #expect(try await found([.chat("chat_a")]) == [2, 3, 6])
    #expect(try await ledger.keptKeys(endedAfter: 0, limit: 10).map(\.key) == ["call_b"])
    await ledger.close()
  }

  @Test func `an erase before the index came to the events leaves nothing of them in it`()
    async throws
  {
    let test = try TestLedger()
    let ledger = try open(test)
    let draft = Self.draft(
      .callIntended,
      call: "call_a",
      chat: "chat_a",
      scope: .chat("chat_a"),
      "files.edit src/main key-of-a"
    )
    // The index does not come to them: they are in `RecentEvents`, with their bodies.
    let pause = try Pause(of: ledger.index)
    await pause.begun()
    _ = try await ledger.append(draft)
    _ = try await ledger.erase("chat/chat_a", by: .alice, rule: "asked for")
    #expect(ledger.index.done == 1)
    pause.end()
    #expect(try await ledger.rebuildIndex() == RebuildReport(events: 3, differences: 0))
    func found(_ terms: [SearchTerm]) async throws -> [UInt64] {
      try await ledger.search([terms], in: 1...99, newestFirst: false, limit: 10).sequences
    }
    #expect(try await found([.tool("files.edit"), .path(Array("src/main".utf8))]) == [])
    #expect(try await found([.erasedIntent]) == [2])
    #expect(try await ledger.keptKeys(endedAfter: 0, limit: 10) == [])
    await ledger.close()
  }

  @Test func `what was erased is in no page of the index, nor in its log`() async throws {
    let test = try TestLedger()
    let ledger = try open(test)
    func files() throws -> [UInt8] {
      try ["", "-wal"].flatMap { try test.folder.read(Indexer.file + $0) ?? [] }
    }
    for chat in ["chat_a", "chat_b"] {
      _ = try await ledger.append(
        Self.draft(.callIntended, call: chat, chat: chat, scope: .chat(chat), "t p key-of-\(chat)")
      )
    }
    _ = try await ledger.rebuildIndex()
    #expect(try files().contains(Array("key-of-chat_a".utf8)))
    _ = try await ledger.erase("chat/chat_a", by: .alice, rule: "asked for")
    // A reader that is in the way holds it up no longer than it reads.
    while try files().contains(Array("key-of-chat_a".utf8)) { await Task.yield() }
    #expect(try await ledger.keptKeys(endedAfter: 0, limit: 10).map(\.key) == ["key-of-chat_b"])
    await ledger.close()
  }

  @Test func `ids of the same time lie together, and others apart`() {
    let salt: [UInt8] = [1, 2, 3]
    let one = SearchTerm.call("call_06f3k8c7d5r7f8p7d5r7f8p7d0").number(salt)
    let next = SearchTerm.call("call_06f3k8c7d5r7f8p7d5r7f8p7d1").number(salt)
    let later = SearchTerm.call("call_06f3k8c7d6r7f8p7d5r7f8p7d0").number(salt)
    #expect(one == next && one < later)
    #expect(SearchTerm.chat("chat_06f3k8c7d5r7f8p7d5r7f8p7d0").number(salt) < one)
    #expect(SearchTerm.path([1]).number(salt) != SearchTerm.path([1]).number([4]))
  }
}

/// Holds the lock of whoever writes an index, on a thread of its own.
private final class Pause: Sendable {
  private let loop: EventLoop
  private let holds = Atomic(false)
  private let isOver = Atomic(false)

  init(of index: Indexer) throws {
    loop = try EventLoop(name: "pause")
    loop.execute {
      index.rebuilding.withLock { _ in
        self.holds.store(true, ordering: .releasing)
        while !self.isOver.load(ordering: .acquiring) {}
      }
    }
  }

  func begun() async { while !holds.load(ordering: .acquiring) { await Task.yield() } }

  func end() {
    isOver.store(true, ordering: .releasing)
    loop.stop()
  }
}
