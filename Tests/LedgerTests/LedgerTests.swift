internal import Crypto
internal import Host
internal import Testing

@testable internal import Ledger

@Suite(.timeLimit(.minutes(5))) struct `The ledger` {
  private let test: TestLedger

  init() throws { test = try TestLedger() }

  @Test func `what was appended is there after it was opened again`() async throws {
    let receipt = try await test.with { ledger in
      var draft = EventDraft.sample("hello", chat: "chat_1")
      draft.header.cause = 1
      return try await ledger.append(draft)
    }
    #expect(receipt == Receipt(sequence: 2, time: test.clock.now))
    try await test.with { ledger in
      let events = try await ledger.read(from: 1, limit: 10)
      #expect(events.map(\.header.kind) == [.ledgerBegun, .callIntended])
      #expect(events[1].text == "hello")
      #expect(events[1].header.principal == .alice)
      #expect(events[1].header.cause == 1)
      #expect(events[1].header.time == receipt.time)
      #expect(ledger.lastSequence == 2)
      #expect(try await ledger.append(.sample("again")).sequence == 3)
    }
    #expect(try test.verify().isClean)
  }

  @Test func `many writers at once get numbers of their own, in batches`() async throws {
    let sequences = try await test.with { ledger in
      let sequences = try await withThrowingTaskGroup(of: UInt64.self) { group in
        for number in 0..<2_000 {
          group.addTask { try await ledger.append(.sample("\(number)")).sequence }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(ledger.statistics.largestBatch <= 1_000)
      #expect(ledger.statistics.batches < 2_000)
      return sequences
    }
    #expect(sequences.sorted() == Array(2...2_001))
    let report = try test.verify()
    #expect(report.isClean)
    #expect(report.events == 2_001)
  }

  @Test func `facts keep the order in which they were told`() async throws {
    try await test.with { ledger in
      for number in 0..<3_000 { ledger.record { .sample("\(number)") } }
      #expect(await ledger.reaches(3_001))
      let events = try await ledger.read(from: 2, limit: 5_000)
      #expect(events.map(\.text) == (0..<3_000).map { "\($0)" })
    }
  }

  @Test func `followers get what was and what comes, each at its pace`() async throws {
    let ledger = try test.open()
    for number in 0..<600 { _ = try await ledger.append(.sample("\(number)")) }
    let texts = try await withThrowingTaskGroup(of: [String?].self) { group in
      for _ in 0..<3 {
        group.addTask {
          var texts: [String?] = []
          for try await event in ledger.follow(from: 2) {
            texts.append(event.text)
            if texts.count == 700 { break }
          }
          return texts
        }
      }
      for number in 600..<700 { _ = try await ledger.append(.sample("\(number)")) }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(texts == Array(repeating: (0..<700).map { "\($0)" }, count: 3))
    await ledger.close()
  }

  @Test func `a follower ends with its task, and with the ledger`() async throws {
    let ledger = try test.open()
    let cancelled = Task { try await ledger.follow(from: 2).first { _ in true } }
    let waiting = Task { try await ledger.follow(from: 2).first { _ in true } }
    cancelled.cancel()
    #expect(try await cancelled.value == nil)
    await ledger.close()
    #expect(try await waiting.value == nil)
  }

  @Test func `once closed it takes no more`() async throws {
    let ledger = try test.open()
    await ledger.close()
    await #expect(throws: LedgerError.self) { try await ledger.append(.sample("late")) }
  }

  @Test func `a large ledger opens from the tree it kept`() async throws {
    let count = Int(LedgerWriter.treeInterval) + 10
    try await test.with { ledger in
      for number in 0..<count { ledger.record { .sample("\(number)") } }
      #expect(await ledger.reaches(UInt64(count)))
    }
    let kept = try SQLiteStore(reading: test.storePath).trees()
    #expect(kept.count == 1)
    try await test.with { _ in }
    #expect(try test.verify().isClean)
  }

  @Test func `a second plane ends the first one's right to write`() async throws {
    let first = try test.open()
    let second = try test.open()
    await #expect(throws: LedgerError.self) { try await first.append(.sample("old")) }
    _ = try await second.append(.sample("new"))
    await second.close()
    await first.close()
    #expect(try test.verify().isClean)
  }
}

@Suite(.timeLimit(.minutes(5))) struct `Erasing` {
  private let test: TestLedger

  init() throws { test = try TestLedger() }

  @Test func `a chat's bodies are gone, others stay, and the record holds`() async throws {
    try await test.with { ledger in
      _ = try await ledger.append(.sample("secret", chat: "chat_1"))
      _ = try await ledger.append(.sample("kept", chat: "chat_2"))
      let receipt = try await ledger.erase("chat/chat_1", by: .alice, rule: "asked for")
      let events = try await ledger.read(from: 2, limit: 10)
      #expect(events.map(\.body) == [.erased, events[1].body, events[2].body])
      #expect(events[1].text == "kept")
      #expect(events[2].header.sequence == receipt.sequence)
      #expect(events[2].header.principal == .alice)
      #expect(events[2].header.chat == "chat_1")
      // It takes no more, also by the key that was in memory.
      await #expect(throws: LedgerError.self) {
        try await ledger.append(.sample("late", chat: "chat_1"))
      }
      // But that something happened is kept, without its content.
      ledger.record { .sample("ended", chat: "chat_1", kind: .callEnded) }
      #expect(await ledger.reaches(5))
      let last = try await ledger.read(from: 5, limit: 1)
      #expect(last.map(\.header.kind) == [.callEnded])
      #expect(last.map(\.body) == [.none])
    }
    let report = try test.verify()
    #expect(report.isClean)
    #expect(report.erasedBodies == 1)
  }

  @Test func `the key is not in the files any more`() async throws {
    let ledger = try test.open()
    _ = try await ledger.append(.sample("secret", chat: "chat_1"))
    let store = try SQLiteStore(reading: test.storePath)
    let wrapped = try #require(try store.key(named: "chat/chat_1")?.wrapped)
    _ = try await ledger.erase("chat/chat_1", by: .alice, rule: "asked for")
    // The index may read just then, and be in the way for a moment.
    while try !test.log.isEmpty { await Task.yield() }
    for name in ["events.db", "events.db-wal"] {
      let bytes = try test.folder.read("ledger/\(name)") ?? []
      #expect(!bytes.contains(wrapped), "\(name)")
    }
    await ledger.close()
  }

  @Test(arguments: [true, false])
  func `a reader that is in the way keeps the key no longer than it reads`(isAppended: Bool)
    async throws
  {
    var options = test.options
    // Else nothing is tried again by itself.
    if isAppended { options.retryDelay = .seconds(3_600) }
    let ledger = try Ledger(in: test.folder, options)
    _ = try await ledger.append(.sample("secret", chat: "chat_1"))
    let store = try SQLiteStore(reading: test.storePath)
    let wrapped = try #require(try store.key(named: "chat/chat_1")?.wrapped)
    // As a backup does.
    let reader = try Database(test.storePath, .readOnly)
    try reader.execute("BEGIN")
    #expect(try reader.integer("SELECT count(*) FROM event") == 2)
    _ = try await ledger.erase("chat/chat_1", by: .alice, rule: "asked for")
    // A commit is not held up by it.
    #expect(try test.log.contains(wrapped))
    try reader.execute("COMMIT")
    // The index may read just then, and be in the way once more.
    repeat {
      if isAppended { _ = try await ledger.append(.sample("behind it")) }
      await Task.yield()
    } while try !test.log.isEmpty
    let bytes = try #require(try test.folder.read(Ledger.storeFile))
    #expect(!bytes.contains(wrapped))
    await ledger.close()
  }

  @Test func `nothing, and the ledger's own, cannot be erased`() async throws {
    try await test.with { ledger in
      for scope in ["chat/none", "ledger"] {
        await #expect(throws: LedgerError.self) {
          try await ledger.erase(scope, by: .alice, rule: "asked for")
        }
      }
      #expect(ledger.lastSequence == 1)
    }
  }
}

@Suite(.timeLimit(.minutes(5))) struct `Checkpoints outside` {
  private let test: TestLedger

  init() throws { test = try TestLedger() }

  @Test func `one follows each event in time, and a clean stop`() async throws {
    #expect(LedgerOptions(origin: "a") { 0 }.checkpointDelay <= .seconds(10))
    var options = test.options
    options.checkpointDelay = .milliseconds(1)
    let ledger = try Ledger(in: test.folder, options)
    _ = try await ledger.append(.sample("a"))
    while ledger.statistics.lastCheckpoint < 2 { await Task.yield() }
    await ledger.close()
    let last = try #require(CheckpointFile.parse(try test.checkpointText).last)
    #expect(last.checkpoint.size == 2)
    #expect(last.checkpoint.origin == ledger.origin)
    #expect(last.isSigned(by: try #require(NoteKey(text: ledger.verifierKey))))
    try await test.fill(3)
    #expect(try test.verify().covered?.sequence == 5)
  }

  @Test func `an exchanged key signs from its event on`() async throws {
    try await test.fill(2)
    let (old, new) = try await test.with { ledger in
      let old = ledger.verifierKey
      _ = try await ledger.rotateKey(by: .alice)
      _ = try await ledger.append(.sample("a"))
      return (old, ledger.verifierKey)
    }
    #expect(old != new)
    try await test.fill(1)
    let report = try test.verify(trusting: old)
    #expect(report.isClean)
    #expect(report.verifierKey == new)
    #expect(report.covered?.sequence == 6)
    #expect(!(try test.verify(trusting: new).isClean))
  }

  @Test func `keys are exchanged one after the other`() async throws {
    let ledger = try test.open()
    let first = ledger.verifierKey
    let rotations = await withTaskGroup(of: KeyRotation?.self) { group in
      for _ in 0..<8 { group.addTask { try? await ledger.rotateKey(by: .alice) } }
      return await group.reduce(into: []) { $0 += $1.map { [$0] } ?? [] }
    }
    // Those that came while one was under way were turned away; each other is in the chain.
    #expect(!rotations.isEmpty)
    #expect(try await ledger.rotateKey(by: .alice).new == ledger.verifierKey)
    await ledger.close()
    let report = try test.verify(trusting: first)
    #expect(report.findings == [])
    #expect(Int(report.events) == 1 + rotations.count + 1)
    try await test.fill(1)
    #expect(try test.verify().isClean)
  }

  @Test func `an exchange that was cut off is taken up`() async throws {
    try await test.fill(1)
    // The new key was made, and its event is not durable: the old one goes on.
    _ = try CheckpointKeys(in: test.folder).make(CheckpointKeys.nextFile)
    try await test.fill(1)
    #expect(try test.verify().isClean)
    #expect(!test.folder.exists(CheckpointKeys.nextFile))
    // Its event is durable, and the file was not renamed: the new one goes on.
    let old = try #require(try test.folder.readSecret(CheckpointKeys.file))
    let ledger = try test.open()
    _ = try await ledger.rotateKey(by: nil)
    let new = try #require(try test.folder.readSecret(CheckpointKeys.file))
    await ledger.close()
    try test.folder.write(new, to: CheckpointKeys.nextFile)
    try test.folder.write(old, to: CheckpointKeys.file)
    try await test.fill(1)
    #expect(try test.verify().isClean)
    #expect(try test.folder.readSecret(CheckpointKeys.file) == new)
    #expect(!test.folder.exists(CheckpointKeys.nextFile))
  }

  @Test(arguments: [true, false])
  func `a key that could not be put in its place is not lost by a retry`(isMended: Bool)
    async throws
  {
    let ledger = try test.open()
    let first = ledger.verifierKey
    // A folder where the key's file was.
    try test.folder.remove(CheckpointKeys.file)
    try test.folder.makeFolder(CheckpointKeys.file)
    let error = await #expect(throws: LedgerError.self) { try await ledger.rotateKey(by: .alice) }
    #expect(error?.message.contains("event 2 has exchanged the key") == true)
    let second = ledger.verifierKey
    #expect(second != first)
    let kept = try #require(try test.folder.readSecret(CheckpointKeys.nextFile))
    if isMended { try test.folder.removeFolder(CheckpointKeys.file) }
    let retried = try? await ledger.rotateKey(by: .alice)
    #expect((retried != nil) == isMended)
    if !isMended {
      #expect(ledger.verifierKey == second)
      #expect(try test.folder.readSecret(CheckpointKeys.nextFile) == kept)
      try test.folder.removeFolder(CheckpointKeys.file)
    }
    await ledger.close()
    let again = try test.open()
    #expect(again.verifierKey == retried?.new ?? second)
    await again.close()
    #expect(try test.verify(trusting: first).findings == [])
    #expect(!test.folder.exists(CheckpointKeys.nextFile))
  }

  @Test func `a key whose event was refused is the next one all the same`() async throws {
    let ledger = try test.open()
    let made = try CheckpointKeys(in: test.folder).make(CheckpointKeys.nextFile)
    let rotation = try await ledger.rotateKey(by: .alice)
    #expect(rotation.new == NoteKey(name: ledger.origin, key: made.verifier).text)
    await ledger.close()
    #expect(try test.verify().findings == [])
  }

  @Test func `one that cannot be kept is told of, and tried again`() async throws {
    var options = test.options
    options.checkpointDelay = .milliseconds(1)
    let ledger = try Ledger(in: test.folder, options)
    while ledger.statistics.lastCheckpoint < 1 { await Task.yield() }
    // A file where its folder was.
    try test.folder.removeFolder("../outside")
    try test.folder.write([], to: "../outside")
    _ = try await ledger.append(.sample("a"))
    while !test.notices.hasFailedCheckpoint { await Task.yield() }
    try test.folder.remove("../outside")
    while ledger.statistics.lastCheckpoint < 2 { await Task.yield() }
    await ledger.close()
    #expect(try test.verify().isClean)
  }

  @Test func `a ledger that ends before its last checkpoint is not gone on with`() async throws {
    try await test.fill(5)
    try test.tamper("DELETE FROM event WHERE sequence > 3")
    let error = #expect(throws: LedgerError.self) { try test.open() }
    #expect(error?.code == .cut)
    #expect(error?.message.contains("ends with event 3") == true)
  }

  @Test func `numbers of events that cannot be are found, and nothing goes on behind them`()
    async throws
  {
    try await test.fill(5)
    try test.tamper("UPDATE event SET sequence = \(Int64.max) WHERE sequence = 5")
    #expect(try !test.verify().isClean)
    try test.tamper("UPDATE event SET sequence = -sequence")
    let error = #expect(throws: LedgerError.self) { try test.open() }
    #expect(error?.code == .damaged)
  }
}

@Suite(.timeLimit(.minutes(5))) struct `The store's versions` {
  private let test: TestLedger

  init() throws { test = try TestLedger() }

  @Test func `a newer one is refused by name`() async throws {
    try await test.fill(1)
    try test.tamper("PRAGMA user_version = 9")
    let error = #expect(throws: LedgerError.self) { try test.open() }
    #expect(error?.code == .newer)
    #expect(error?.message.contains("schema 9, and this gatehouse knows 1") == true)
    #expect(throws: LedgerError.self) { try test.verify() }
  }

  @Test func `an older one is brought up, step by step, and each step at once`() throws {
    let path = test.folder.path(of: "old.db")
    let database = try Database(path, .create)
    let steps = SQLiteSchema.migrations + ["CREATE TABLE later (a) STRICT", "CREATE TABLE b (a)"]
    try SQLiteSchema.migrate(database, path)
    // The second step is wrong (STRICT needs types): nothing of it stays.
    #expect(throws: LedgerError.self) { try SQLiteSchema.migrate(database, path, through: steps) }
    #expect(try database.integer("PRAGMA user_version") == 1)
    let mended = SQLiteSchema.migrations + ["CREATE TABLE later (a INTEGER) STRICT"]
    try SQLiteSchema.migrate(database, path, through: mended)
    #expect(try database.integer("PRAGMA user_version") == 2)
    #expect(try database.integer("SELECT count(*) FROM later") == 0)
  }

  @Test func `a database of someone else, and no database, are refused`() throws {
    try test.folder.makeFolder("ledger")
    let database = try Database(test.storePath, .create)
    try database.execute("CREATE TABLE theirs (a)")
    #expect(throws: LedgerError.self) { try test.open() }
    let other = try TestLedger()
    try other.folder.makeFolder("ledger")
    try other.folder.write(Array("no database, but some text\n".utf8), to: Ledger.storeFile)
    let error = #expect(throws: LedgerError.self) { try other.open() }
    #expect(error?.code == .damaged)
  }
}
