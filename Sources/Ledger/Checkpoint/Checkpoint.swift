internal import Crypto

/// What a ledger was at one moment, to be kept where its writer cannot change it.
///
/// A C2SP `tlog-checkpoint`: origin, size, root, and one extension line of ours, `time` and the
/// seconds since 1970.
struct Checkpoint: Equatable, Sendable {
  let origin: String
  /// Leaves of the tree, which is the sequence number of the last event in it.
  let size: UInt64
  let root: Hash256
  /// Seconds since 1970; nil: it says none.
  let time: Int64?

  /// What is signed, with a newline at its end.
  var text: String {
    var lines = [origin, String(size), Base64.encode(root.bytes)]
    if let time { lines.append("time \(time)") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Nil for a text that is no checkpoint. Lines that are not known are passed over; they are signed
  /// as they are.
  init?(text: some StringProtocol) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 4, lines.last == "", !lines[0].isEmpty,
      let size = UInt64(lines[1]), String(size) == lines[1],
      let bytes = Base64.decode(String(lines[2])), let root = Hash256(bytes)
    else { return nil }
    origin = String(lines[0])
    self.size = size
    self.root = root
    let said = lines.dropFirst(3).first { $0.hasPrefix("time ") }
    time = said.flatMap { Int64($0.dropFirst(5)) }
  }

  init(origin: String, size: UInt64, root: Hash256, time: Int64?) {
    self.origin = origin
    self.size = size
    self.root = root
    self.time = time
  }
}

/// A checkpoint with signatures below it.
struct SignedCheckpoint: Equatable, Sendable {
  let checkpoint: Checkpoint
  /// The signed bytes, as they were read.
  let text: String
  let signatures: [Signature]

  struct Signature: Equatable, Sendable {
    let name: String
    let id: [UInt8]
    let bytes: [UInt8]
  }

  init(_ checkpoint: Checkpoint, by key: SigningKey) throws(CryptoError) {
    self.checkpoint = checkpoint
    text = checkpoint.text
    let signer = NoteKey(name: checkpoint.origin, key: key.verifier)
    signatures = [
      Signature(name: signer.name, id: signer.id, bytes: try key.sign(Array(text.utf8)))
    ]
  }

  /// The whole note.
  var note: String {
    signatures.reduce(text + "\n") {
      $0 + "\u{2014} \($1.name) \(Base64.encode($1.id + $1.bytes))\n"
    }
  }

  func isSigned(by key: NoteKey) -> Bool {
    let id = key.id
    return signatures.contains {
      $0.name == key.name && $0.id == id && key.key.verifies($0.bytes, of: Array(text.utf8))
    }
  }

  /// Nil for what is no note of a checkpoint.
  init?(note: String) {
    guard let end = note.range(ofBlankLine: ()) else { return nil }
    let text = String(note[..<end.lowerBound]) + "\n"
    guard let checkpoint = Checkpoint(text: text) else { return nil }
    let lines = note[end.upperBound...].split(separator: "\n")
    let signatures = lines.compactMap(Signature.init)
    guard !lines.isEmpty, signatures.count == lines.count else { return nil }
    self.checkpoint = checkpoint
    self.text = text
    self.signatures = signatures
  }
}

extension SignedCheckpoint.Signature {
  fileprivate init?(_ line: Substring) {
    let parts = line.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "\u{2014}", !parts[1].isEmpty,
      // A key's id and an Ed25519 signature, or a witness's, which is longer; less was cut off.
      let bytes = Base64.decode(String(parts[2])), bytes.count >= 4 + 64
    else { return nil }
    name = String(parts[1])
    id = Array(bytes.prefix(4))
    self.bytes = Array(bytes.dropFirst(4))
  }
}

extension String {
  /// Where a line ends that an empty one follows: both newlines.
  fileprivate func range(ofBlankLine: Void) -> Range<String.Index>? {
    var before: String.Index?
    for index in utf8.indices {
      guard utf8[index] == UInt8(ascii: "\n") else {
        before = nil
        continue
      }
      if let before { return before..<utf8.index(after: index) }
      before = index
    }
    return nil
  }
}
