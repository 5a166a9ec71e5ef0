internal import Crypto
internal import Host
internal import Testing

@testable internal import Ledger

@Suite struct `A checkpoint` {
  private let key: SigningKey
  private let name = "test.example/ledger/1"
  private let checkpoint = Checkpoint(
    origin: "test.example/ledger/1",
    size: 20_852_163,
    root: Hash256(SHA256.hash([1])) ?? Hash256(),
    time: 1_790_000_000
  )

  init() throws { key = try SigningKey(seed: SecureRandom.bytes(32)) }

  /// The key and the signature in the documentation of Go's `note` package.
  @Test func `keys and signatures are those of signed-note`() throws {
    let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    let key = try #require(NoteKey(text: text))
    #expect(key.name == "PeterNeumann")
    #expect(key.text == text)
    let message =
      "If you think cryptography is the answer to your problem,\n"
      + "then you don't know what your problem is.\n"
    let signature = try #require(
      Base64.decode(
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
      )
    )
    #expect(Array(signature.prefix(4)) == key.id)
    #expect(key.key.verifies(Array(signature.dropFirst(4)), of: Array(message.utf8)))
    #expect(NoteKey(text: text.replacing("c74f20a3", with: "c74f20a4")) == nil)
  }

  @Test func `a file that becomes too long to be read is told of long before`() async throws {
    let test = try TestLedger()
    var options = test.options
    options.maxCheckpointBytes = 1_000
    // A note at each close; they have more than 200 bytes.
    for _ in 0..<6 {
      let ledger = try Ledger(in: test.folder, options)
      _ = try await ledger.append(.sample("something"))
      await ledger.close()
    }
    let told = test.notices.list.compactMap { notice -> Int? in
      if case .checkpointsLong(let bytes, let remedy) = notice, remedy.contains("move the file") {
        return bytes
      }
      return nil
    }
    #expect(told.first.map { (751...1_000).contains($0) } == true)
    // It goes on all the same, and says why it cannot be verified.
    let file = CheckpointFile(path: test.checkpointPath, maxBytes: 1_000)
    let error = #expect(throws: HostError.self) { _ = try file.list() }
    #expect(error?.description.contains("1000 are read at most; while the plane is st") == true)
    #expect(try test.verify().findings == [])
  }

  @Test func `it survives its note`() throws {
    let signed = try SignedCheckpoint(checkpoint, by: key)
    let read = try #require(SignedCheckpoint(note: signed.note))
    #expect(read == signed)
    #expect(read.isSigned(by: NoteKey(name: name, key: key.verifier)))
    #expect(!read.isSigned(by: NoteKey(name: "test.example/ledger/2", key: key.verifier)))
  }

  @Test func `a change of any byte breaks it`() throws {
    let signed = try SignedCheckpoint(checkpoint, by: key)
    let signer = NoteKey(name: name, key: key.verifier)
    let bytes = Array(signed.note.utf8)
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= 1
      let read = SignedCheckpoint(note: String(decoding: changed, as: UTF8.self))
      #expect(read?.isSigned(by: signer) != true, "byte \(index)")
    }
  }

  @Test func `a line that is not known is signed too`() throws {
    let text = "a.example\n5\n\(Base64.encode(SHA256.hash([])))\nfuture thing\n"
    let note = text + "\n\u{2014} a.example \(Base64.encode([UInt8](1...68)))\n"
    let read = try #require(SignedCheckpoint(note: note))
    #expect(read.text == text)
    #expect(read.checkpoint.time == nil)
  }

  @Test(arguments: [
    "", "\n", "a\n5\n", "a\n05\n\(Base64.encode(SHA256.hash([])))\n",
    "a\n-5\n\(Base64.encode(SHA256.hash([])))\n", "a\n5\nAAAA\n",
    "\n5\n\(Base64.encode(SHA256.hash([])))\n", "a\n5\n\(Base64.encode(SHA256.hash([])))",
  ])
  func `a text of another form is none`(text: String) { #expect(Checkpoint(text: text) == nil) }

  /// A power cut may take its end anywhere.
  @Test func `one that is kept behind one that was cut off is whole`() throws {
    let test = try TestLedger()
    let signed = try [3, 5].map { size in
      try SignedCheckpoint(
        Checkpoint(origin: name, size: size, root: Hash256(), time: nil),
        by: key
      )
    }
    let whole = Array((signed[0].note + "\n").utf8)
    for count in whole.indices {
      try test.folder.write(Array(whole[..<count]), to: "checkpoints")
      let file = CheckpointFile(path: test.folder.path(of: "checkpoints"))
      try file.append(signed[1])
      let found = try #require(try file.list())
      let notes = found.entries.count
      let last = found.entries.indices.last.flatMap { found.note($0) }
      #expect(last == signed[1], "\(count) of \(whole.count)")
      #expect(notes + found.unreadable.count == (count == 0 ? 1 : 2))
    }
  }

  /// What is read at once, in bytes.
  @Test(arguments: [1, 7, 1 << 20])
  func `a file of them is read past what a power cut left`(piece: Int) throws {
    let test = try TestLedger()
    func read(_ text: String) throws -> CheckpointList {
      try test.folder.write(Array(text.utf8), to: "checkpoints")
      let file = CheckpointFile(path: test.folder.path(of: "checkpoints"))
      return try #require(try file.list(piece: piece))
    }
    let signed = try [3, 5].map { size in
      try SignedCheckpoint(
        Checkpoint(origin: name, size: size, root: Hash256(), time: nil),
        by: key
      )
    }
    let notes = signed.map(\.note)
    let torn = String(notes[0].prefix(40))
    let list = try read(notes[0] + "\n" + torn + "\n\n" + notes[1] + "\n")
    #expect(list.entries.map(\.size) == [3])
    // The torn one took the next with it; that is told, and not taken for nothing.
    #expect(list.unreadable.count == 1)
    let whole = try read(notes[0] + "\n" + notes[1] + "\n" + torn)
    #expect(whole.entries.map(\.size) == [3, 5])
    #expect((0..<2).map { whole.note($0) } == signed)
    #expect((0..<2).allSatisfy { whole.origin($0) == name })
    #expect(whole.unreadable == [name])
    #expect(CheckpointFile.parse(notes[0] + "\n" + notes[1]) == signed)
  }

  @Test func `of another ledger keeps a new one from being begun beside it`() async throws {
    let lost = try TestLedger()
    try await lost.fill(3)
    let other = try TestLedger()
    var options = other.options
    options.checkpointFile = lost.checkpointPath
    let error = #expect(throws: LedgerError.self) { try Ledger(in: other.folder, options) }
    #expect(error?.code == .cut)
    #expect(error?.message.contains(lost.checkpointPath) == true)
    #expect(error?.message.contains(name) == true)
    options.checkpointFile = other.checkpointPath
    await (try Ledger(in: other.folder, options)).close()
  }
}
