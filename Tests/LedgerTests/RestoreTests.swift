internal import Crypto
internal import Host
internal import Testing

@testable internal import Ledger

/// A ledger goes on from a copy of itself; what was lost stays told of.
@Suite(.timeLimit(.minutes(5))) struct `A copy of a ledger` {
  private let test: TestLedger
  private let copy: StateFolder

  init() throws {
    test = try TestLedger()
    copy = try StateFolder(test.base + "/copy")
  }

  /// The copy of this moment, with its secrets.
  private func makeCopy() throws {
    try LedgerCopy.copyStore(from: test.folder.path, to: copy)
    for name in LedgerCopy.secrets {
      if let bytes = try test.folder.read(name) { try copy.write(bytes, to: name) }
    }
  }

  private func examine() throws -> (report: VerifyReport, beyond: BeyondCopy?) {
    try LedgerCopy.examine(copy.path, checkpointFile: test.checkpointPath)
  }

  private func verify() throws -> VerifyReport {
    try LedgerVerifier.verify(copy.path, checkpointFile: test.checkpointPath)
  }

  private func open(_ restoration: Restoration? = nil) throws -> Ledger {
    var options = test.options
    options.restoration = restoration
    return try Ledger(in: copy, options)
  }

  /// Goes on from the copy, on record, as `gatehouse restore` does.
  @discardableResult private func restore(_ why: String = "the disk died") async throws -> UInt64 {
    let beyond = try examine().beyond
    let ledger = try open(Restoration(copied: 1_790_000_000, beyond: beyond, reason: why, now: 99))
    let last = ledger.lastSequence
    #expect(ledger.life == 99)
    await ledger.close()
    return last
  }

  /// As many events, and a checkpoint of them.
  private func fillCopy(_ count: Int) async throws {
    let ledger = try open()
    for number in 0..<count { _ = try await ledger.append(.sample("since \(number)")) }
    await ledger.close()
  }

  @Test func `is whole while the ledger is written to, and private`() async throws {
    try await test.with { ledger in
      for number in 0..<5 { _ = try await ledger.append(.sample("\(number)")) }
      try makeCopy()
      _ = try await ledger.append(.sample("behind it"))
    }
    #expect(try verify().events == 6)
    let (report, beyond) = try examine()
    #expect(report.findings == [])
    #expect(beyond?.until == 7)
    #expect(beyond?.checkpoints == 1)
    #expect(beyond?.unknown == 0)
    #expect(try copy.readSecret(Ledger.storeFile) != nil)
    // There is a file, and it is not written over.
    #expect(throws: LedgerError.self) { try makeCopy() }
  }

  @Test func `that misses nothing goes on with an event that says so`() async throws {
    try await test.fill(3)
    try makeCopy()
    #expect(try await restore() == 5)
    try await fillCopy(2)
    let report = try verify()
    #expect(report.findings == [])
    #expect(report.covered?.sequence == 7)
    let restored = try #require(report.restorations.first)
    #expect(restored.sequence == 5)
    #expect(restored.restoration.until == 0)
    #expect(restored.restoration.reason == "")
    #expect(restored.restoration.copied == 1_790_000_000)
  }

  @Test func `that misses events is not gone on with by itself`() async throws {
    try await test.fill(3)
    try makeCopy()
    try await test.fill(3)
    let error = #expect(throws: LedgerError.self) { try open() }
    #expect(error?.code == .cut)
    #expect(error?.message.contains("--accept-loss") == true)
  }

  @Test func `that misses events goes on when that is on record, and stays told of`() async throws {
    try await test.fill(3)
    try makeCopy()
    for _ in 0..<3 { try await test.fill(3) }
    #expect(try await restore() == 5)
    // While it is shorter than what was given up, when it is as long, and beyond.
    for length in [6, 13, 20] as [UInt64] {
      try await fillCopy(Int(length - (try verify().events)))
      let report = try verify()
      #expect(report.findings == [])
      #expect(report.covered?.sequence == length)
      let restored = try #require(report.restorations.first)
      #expect(restored.restoration.until == 13)
      #expect(restored.restoration.reason == "the disk died")
      #expect(restored.checkpoints == 3)
    }
  }

  @Test func `can be restored again, from before and from behind the first time`() async throws {
    try await test.fill(3)
    try makeCopy()
    try await test.fill(9)
    try await restore()
    try await fillCopy(3)
    let again = try StateFolder(test.base + "/again")
    try LedgerCopy.copyStore(from: copy.path, to: again)
    for name in LedgerCopy.secrets.prefix(2) {
      try again.write(try #require(try copy.read(name)), to: name)
    }
    try await fillCopy(2)
    // From behind.
    let beyond = try LedgerCopy.examine(again.path, checkpointFile: test.checkpointPath).beyond
    #expect(beyond?.until == 10)
    #expect(beyond?.checkpoints == 1)
    var options = test.options
    options.restoration = Restoration(copied: 1, beyond: beyond, reason: "again", now: 1_000)
    await (try Ledger(in: again, options)).close()
    options.restoration = nil
    let ledger = try Ledger(in: again, options)
    #expect(ledger.life == 1_001)
    _ = try await ledger.append(.sample("a"))
    await ledger.close()
    let report = try LedgerVerifier.verify(again.path, checkpointFile: test.checkpointPath)
    #expect(report.findings == [])
    #expect(report.restorations.map(\.restoration.until) == [13, 10])
    #expect(report.restorations.map(\.checkpoints) == [1, 1])
    // And the first copy's history is none of this file's any more.
    #expect(try verify().isClean == false)
  }

  @Test func `that misses nothing since it was restored is not taken for one that does`()
    async throws
  {
    try await test.fill(3)
    try makeCopy()
    try await test.fill(9)
    try await restore()
    try await fillCopy(3)
    // Given up were events up to 13; the copy of the copy ends with 8, and so does the live one.
    let again = try StateFolder(test.base + "/again")
    try LedgerCopy.copyStore(from: copy.path, to: again)
    for name in LedgerCopy.secrets.prefix(2) {
      try again.write(try #require(try copy.read(name)), to: name)
    }
    let (report, beyond) = try LedgerCopy.examine(again.path, checkpointFile: test.checkpointPath)
    #expect(report.findings == [])
    #expect(beyond == nil)
    var options = test.options
    options.restoration = Restoration(copied: 1, beyond: nil, reason: "", now: 1_000)
    await (try Ledger(in: again, options)).close()
    options.restoration = nil
    for length in [10, 11] as [UInt64] {
      let ledger = try Ledger(in: again, options)
      _ = try await ledger.append(.sample("on"))
      await ledger.close()
      let report = try LedgerVerifier.verify(again.path, checkpointFile: test.checkpointPath)
      #expect(report.findings == [])
      #expect(report.covered?.sequence == length)
    }
  }

  @Test func `excuses nothing that was signed for the lost history later`() async throws {
    try await test.fill(3)
    try makeCopy()
    try await test.fill(3)
    try await restore()
    try await fillCopy(3)
    #expect(try verify().isClean)
    // The plane that was given up for dead is not.
    let origin = try verify().origin
    let head = Checkpoint(origin: origin, size: 6, root: Hash256(), time: nil)
    let key = try #require(try CheckpointKeys(in: test.folder).current())
    try CheckpointFile(path: test.checkpointPath).append(SignedCheckpoint(head, by: key))
    #expect(try verify().findings.map(\.kind) == [.fork])
  }

  @Test func `knows what was signed by a later key, and not what was forged`() async throws {
    try await test.fill(3)
    try makeCopy()
    try await test.with { ledger in _ = try await ledger.rotateKey(by: nil) }
    #expect(try examine().beyond?.unknown == 1)
    let before = try test.checkpointText
    try await restore()
    #expect(try verify().findings == [])
    #expect(try verify().restorations.first?.checkpoints == 1)
    // One more, as if it had been there before.
    let since = try test.checkpointText.dropFirst(before.count)
    let forged = try SignedCheckpoint(
      Checkpoint(origin: try examine().report.origin, size: 5, root: Hash256(), time: nil),
      by: try SigningKey(seed: SecureRandom.bytes(32))
    )
    let text = before + forged.note + "\n" + since
    try test.folder.write(Array(text.utf8), to: "../outside/checkpoints")
    #expect(try verify().findings.map(\.kind) == [.forged, .forged])
  }

  @Test func `that was cut behind its restoration is found`() async throws {
    try await test.fill(3)
    try makeCopy()
    try await test.fill(9)
    try await restore()
    try await fillCopy(3)
    let database = try Database(copy.path(of: Ledger.storeFile), .write)
    try database.execute("DELETE FROM event WHERE sequence > 6; PRAGMA wal_checkpoint(TRUNCATE)")
    #expect(throws: LedgerError.self) { try open() }
    #expect(try verify().findings.map(\.kind) == [.cut])
  }
}
