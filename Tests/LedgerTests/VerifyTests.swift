internal import Crypto
internal import EventLoop
internal import Host
internal import Testing

@testable internal import Ledger

/// Each changes the files of a ledger as someone might who can write to them, and expects it found.
@Suite(.timeLimit(.minutes(10))) struct `Verifying` {
  private let test: TestLedger

  init() throws { test = try TestLedger() }

  private func stored() throws -> [StoredEvent] {
    try SQLiteStore(reading: test.storePath).read(from: 1, limit: 100)
  }

  /// Flips a bit in each byte of `needle` in the store's file, one after the other.
  private func flipEach(_ needle: [UInt8]) throws {
    let file = try #require(try test.folder.read(Ledger.storeFile))
    let start = try #require(file.firstRange(of: needle)).lowerBound
    for offset in needle.indices {
      var changed = file
      changed[start + offset] ^= 0x10
      try test.folder.write(changed, to: Ledger.storeFile)
      #expect(try !test.verify().isClean, "byte \(offset) of \(needle.count)")
    }
    try test.folder.write(file, to: Ledger.storeFile)
    #expect(try test.verify().isClean)
  }

  @Test func `a whole one is clean, and says how far it is vouched for`() async throws {
    try await test.fill(5)
    test.clock.now += 90_000_000
    let report = try test.verify()
    #expect(report.findings == [])
    #expect(report.events == 6)
    #expect(report.origin == "test.example/ledger/1")
    #expect(report.covered == .init(sequence: 6, time: test.clock.now / 1_000_000 - 90))
    #expect(report.uncovered == 0)
    #expect(report.checkpoints == 1)
  }

  @Test func `a running one can be looked at`() async throws {
    try await test.fill(2)
    try await test.with { ledger in
      _ = try await ledger.append(.sample("a"))
      let report = try test.verify()
      #expect(report.isClean)
      #expect(report.events == 4)
      #expect(report.uncovered == 1)
    }
  }

  @Test func `a change of any byte of a header is found`() async throws {
    try await test.fill(3)
    try flipEach(stored()[2].header)
  }

  @Test func `a change of any byte of a body is found`() async throws {
    try await test.fill(3)
    let body = try #require(try stored()[2].body)
    try flipEach(body)
    // Of the first event too, which holds the key.
    try flipEach(try #require(try stored()[0].body))
  }

  @Test func `a removed event is found`() async throws {
    try await test.fill(5)
    try test.tamper("DELETE FROM event WHERE sequence = 3")
    let report = try test.verify()
    #expect(report.findings.contains { $0.kind == .missing && $0.sequence == 3 })
    #expect(report.findings.contains { $0.message == "event 3 is missing" })
  }

  @Test func `a removed event is found, also when all others are numbered anew`() async throws {
    try await test.fill(5)
    try test.tamper("DELETE FROM event WHERE sequence = 3")
    try renumber()
    let kinds = try test.findings()
    #expect(kinds == [.cut])
    // And when a last event is invented, so that the number is right.
    try test.tamper(
      "INSERT INTO event SELECT 6, header, scope, body FROM event WHERE sequence = 5"
    )
    try renumber()
    #expect(try test.findings().contains(.changed))
  }

  @Test func `an inserted event is found`() async throws {
    try await test.fill(5)
    try insertAfter3()
    #expect(try test.findings().contains(.misplaced))
  }

  @Test func `an inserted event is found, also when all others are numbered anew`() async throws {
    try await test.fill(5)
    try insertAfter3()
    try renumber()
    #expect(try test.findings() == [.changed])
  }

  private func insertAfter3() throws {
    try test.tamper(
      """
      UPDATE event SET sequence = -(sequence + 1) WHERE sequence > 3;
      UPDATE event SET sequence = -sequence WHERE sequence < 0;
      INSERT INTO event SELECT 4, header, scope, body FROM event WHERE sequence = 3
      """
    )
  }

  @Test func `events in another order are found`() async throws {
    try await test.fill(5)
    try test.tamper(
      """
      UPDATE event SET sequence = -3 WHERE sequence = 3;
      UPDATE event SET sequence = 3 WHERE sequence = 4;
      UPDATE event SET sequence = 4 WHERE sequence = -3
      """
    )
    #expect(try test.findings() == [.misplaced, .changed])
    try renumber()
    #expect(try test.findings() == [.changed])
  }

  /// Writes each header anew with the number of its row, as a careful forger does.
  private func renumber() throws {
    let database = try Database(test.storePath, .write)
    let rows = try stored()
    var sequence: UInt64 = 0
    for row in rows {
      sequence += 1
      var header = try EventHeader(canonical: row.header)
      header.sequence = sequence
      let update = try database.prepare(
        "UPDATE event SET sequence = ?, header = ? WHERE sequence = ?"
      )
      update.bind(1, Int64(sequence))
      update.bind(2, header.encoded)
      update.bind(3, Int64(row.sequence))
      try update.run()
    }
  }

  @Test func `bodies that were exchanged, or taken away, are found`() async throws {
    try await test.fill(5)
    try test.tamper(
      "UPDATE event SET body = (SELECT body FROM event WHERE sequence = 3) WHERE sequence = 4"
    )
    #expect(try test.findings() == [.body])
    try test.tamper("UPDATE event SET body = NULL WHERE sequence = 4")
    #expect(try test.findings() == [.body])
  }

  @Test func `a key that was destroyed without an event is found`() async throws {
    try await test.with { ledger in _ = try await ledger.append(.sample("a", chat: "chat_1")) }
    try test.tamper("UPDATE body_key SET wrapped = NULL WHERE name = 'chat/chat_1'")
    #expect(try test.findings() == [.unaccounted])
  }

  /// Whoever writes to the store may say that a body is sealed with the key of a chat that was erased.
  @Test(arguments: [1, 3, 4, 5])
  func `a body that was taken away as if it were an erased chat's is found`(sequence: Int)
    async throws
  {
    try await withOneErased()
    try test.tamper(
      """
      UPDATE event SET body = NULL, scope = (SELECT scope FROM event WHERE sequence = 2)
      WHERE sequence = \(sequence)
      """
    )
    let report = try test.verify()
    #expect(report.findings.filter { $0.kind == .body }.map(\.sequence) == [UInt64(sequence)])
    #expect(report.erasedBodies <= 1)
  }

  @Test func `a destroyed key that bears an erased chat's name is found`() async throws {
    try await withOneErased()
    // Two keys cannot have one name.
    try test.tamper(
      """
      UPDATE body_key SET name = 'chat/chat_0' WHERE name = 'chat/chat_1';
      UPDATE body_key SET name = 'chat/chat_1', wrapped = NULL WHERE name = 'chat/chat_2';
      UPDATE event SET scope = (SELECT scope FROM event WHERE sequence = 3) WHERE sequence = 2;
      """
    )
    #expect(try test.findings() == [.body])
  }

  /// Events 2 of a chat that is erased, 3 of another, 4 of nobody's chat, and 5, which says so.
  private func withOneErased() async throws {
    try await test.with { ledger in
      _ = try await ledger.append(.sample("a", chat: "chat_1"))
      _ = try await ledger.append(.sample("b", chat: "chat_2"))
      _ = try await ledger.append(.sample("c"))
      _ = try await ledger.erase("chat/chat_1", by: .alice, rule: "asked for")
    }
    let report = try test.verify()
    #expect(report.findings == [] && report.erasedBodies == 1)
  }

  @Test func `what is erased while the ledger is looked at is accounted for`() async throws {
    try await test.with { ledger in
      for number in 0..<1_000 { ledger.record { .sample("\(number)") } }
      _ = try await ledger.append(.sample("secret", chat: "chat_1"))
    }
    var isErased = false
    let report = try LedgerVerifier.verify(
      test.folder.path,
      checkpointFile: test.checkpointPath
    ) { done, _ in
      guard !isErased else { return }
      // The body is on the second page.
      #expect(done == 1_000)
      isErased = (try? erase("chat/chat_1")) != nil
    }
    #expect(isErased)
    #expect(report.findings == [])
    #expect(report.erasedBodies == 1)
    #expect(report.events == 1_002)
  }

  /// As a plane that runs does.
  private func erase(_ scope: String) throws {
    let store = try SQLiteStore(test.storePath)
    defer { store.close() }
    let key = try #require(try store.key(named: scope))
    let writer = try LedgerWriter(
      store,
      WriteQueue { 0 },
      KeyRing(),
      MasterKey.open(in: test.folder, mayMake: false),
      test.options
    )
    defer { writer.loop.stop() }
    try store.append(StoreBatch(destroyedKeys: [key.scope]), under: writer.lease)
    try writer.begin(with: .own(.erased(scope: scope, rule: "asked for"), by: .alice))
  }

  @Test func `a fork between checkpoints is found`() async throws {
    try await test.fill(3)
    let copy = try #require(try test.folder.read(Ledger.storeFile))
    try await test.fill(3, "as it was")
    // An old copy is put back, grows beyond what was seen outside, and goes on as if nothing was.
    try test.folder.write(copy, to: Ledger.storeFile)
    var options = test.options
    options.checkpointFile = nil
    let forked = try Ledger(in: test.folder, options)
    for number in 0..<5 { _ = try await forked.append(.sample("as it was not \(number)")) }
    await forked.close()
    try await test.fill(1)
    let report = try test.verify()
    #expect(report.findings.map(\.kind) == [.fork])
    #expect(report.findings.first?.sequence == 5)
    #expect(report.covered?.sequence == 10)
  }

  @Test func `a forged checkpoint is found`() async throws {
    try await test.fill(3)
    let genuine = try test.checkpointText
    let seen = try #require(CheckpointFile.parse(genuine).first)
    let other = try SigningKey(seed: SecureRandom.bytes(32))
    let forged = try SignedCheckpoint(seen.checkpoint, by: other)
    try CheckpointFile(path: test.checkpointPath).append(forged)
    #expect(try test.findings() == [.forged])
    // The ledger's own signature, below another text.
    let altered = genuine.replacing("\n4\n", with: "\n3\n")
    #expect(altered != genuine)
    try test.folder.write(Array(altered.utf8), to: "../outside/checkpoints")
    #expect(try test.findings() == [.forged])
  }

  @Test func `a tail that was cut before the last checkpoint is found`() async throws {
    try await test.fill(5)
    try test.tamper("DELETE FROM event WHERE sequence > 4")
    let report = try test.verify()
    #expect(report.findings.map(\.kind) == [.cut])
    #expect(report.findings.first?.sequence == 5)
    #expect(report.findings.first?.message.contains("the last 2 events were removed") == true)
  }

  @Test func `another ledger in its place is found`() async throws {
    try await test.fill(3)
    let outside = try test.checkpointText
    let other = try TestLedger()
    var options = other.options
    options.origin = "test.example/ledger/2"
    await (try Ledger(in: other.folder, options)).close()
    try other.folder.write(Array(outside.utf8), to: "../outside/checkpoints")
    #expect(try other.findings() == [.stranger])
    // By the same name, and with another key.
    try await test.with { _ in }
    let third = try TestLedger()
    try await third.fill(3)
    try third.folder.write(Array(outside.utf8), to: "../outside/checkpoints")
    #expect(try third.findings() == [.forged])
  }

  @Test func `a changed tree of the store itself is found`() async throws {
    let count = Int(LedgerWriter.treeInterval)
    try await test.with { ledger in
      for number in 0..<count { ledger.record { .sample("\(number)") } }
      #expect(await ledger.reaches(UInt64(count)))
    }
    try test.tamper("UPDATE tree SET roots = zeroblob(length(roots))")
    #expect(try test.findings() == [.changed])
  }

  @Test func `an exchange of keys without the old one's signature is found`() async throws {
    try await test.fill(1)
    let other = try SigningKey(seed: SecureRandom.bytes(32))
    try await test.with { ledger in
      let old = ledger.verifierKey
      let name = NoteKey(name: ledger.origin, key: other.verifier).text
      let signature = try other.sign(OwnBody.rotationMessage(name))
      _ = try await ledger.append(.own(.keyRotated(old: old, new: name, signature: signature)))
    }
    #expect(try test.findings().contains(.keys))
  }

  /// Each is by someone who can write to the store and has a key of their own: the old one's word for
  /// it is what they lack.
  @Test(arguments: ["signed by itself", "signed for another", "from a key that was not the last"])
  func `a forged exchange of keys is found, and nothing its key signs holds`(how: String)
    async throws
  {
    let other = try SigningKey(seed: SecureRandom.bytes(32))
    let ledger = try test.open()
    let first = ledger.verifierKey
    let name = NoteKey(name: ledger.origin, key: other.verifier).text
    let rotation = try await ledger.rotateKey(by: .alice)
    let key = try #require(try CheckpointKeys(in: test.folder).current())
    let (old, signature) =
      switch how {
      case "signed by itself": (rotation.new, try other.sign(OwnBody.rotationMessage(name)))
      case "signed for another": (rotation.new, try key.sign(OwnBody.rotationMessage(first)))
      default: (first, try key.sign(OwnBody.rotationMessage(name)))
      }
    _ = try await ledger.append(.own(.keyRotated(old: old, new: name, signature: signature)))
    await ledger.close()
    let head = try #require(CheckpointFile.parse(try test.checkpointText).last)
    try CheckpointFile(path: test.checkpointPath)
      .append(SignedCheckpoint(head.checkpoint, by: other))
    #expect(try test.findings() == [.keys, .forged])
    #expect(try test.verify().verifierKey == rotation.new)
  }

  @Test func `a checkpoint by a key behind its exchange is found`() async throws {
    let ledger = try test.open()
    let old = try #require(try CheckpointKeys(in: test.folder).current())
    _ = try await ledger.rotateKey(by: .alice)
    await ledger.close()
    let head = try #require(CheckpointFile.parse(try test.checkpointText).last)
    #expect(try test.findings() == [])
    try CheckpointFile(path: test.checkpointPath)
      .append(SignedCheckpoint(head.checkpoint, by: old))
    #expect(try test.findings() == [.forged])
  }

  @Test func `without the key of keys the rest is looked at, and what is not is said`() async throws
  {
    try await test.fill(3)
    try test.folder.remove(MasterKey.file)
    let report = try test.verify()
    // Nobody names the key that signs, then: the checkpoint proves nothing.
    #expect(report.uncheckedBodies == 4)
    #expect(report.findings == [])
    #expect(report.covered == nil && report.unjudgedCheckpoints == 1)
  }

  @Test func `without the key of keys checkpoints are judged by a key that was kept elsewhere`()
    async throws
  {
    try await test.fill(3)
    let key = try test.verify().verifierKey
    try test.folder.remove(MasterKey.file)
    let report = try test.verify(trusting: key)
    #expect(report.findings == [])
    #expect(report.covered?.sequence == 4 && report.unjudgedCheckpoints == 0)
    try test.tamper("DELETE FROM event WHERE sequence > 3")
    #expect(try test.verify(trusting: key).findings.map(\.kind) == [.cut])
  }

  @Test func `behind an exchange of keys that nobody can read checkpoints are not judged`()
    async throws
  {
    try await test.fill(1)
    let key = try test.verify().verifierKey
    try await test.with { ledger in
      _ = try await ledger.rotateKey(by: .alice)
      _ = try await ledger.append(.sample("a"))
    }
    try test.folder.remove(MasterKey.file)
    let report = try test.verify(trusting: key)
    #expect(report.findings == [])
    #expect(report.covered?.sequence == 2 && report.unjudgedCheckpoints == 1)
  }
}
