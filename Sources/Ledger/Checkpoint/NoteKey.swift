internal import Crypto

/// Who signs notes: a name and an Ed25519 key, as C2SP's signed-note has them.
struct NoteKey: Hashable, Sendable {
  /// Without spaces and `+`.
  let name: String
  let key: VerifyingKey

  /// The first four bytes of SHA-256 over name, newline, 0x01 and the key.
  var id: [UInt8] { Array(SHA256.hash(Array(name.utf8) + [0x0a, 0x01] + key.bytes).prefix(4)) }

  /// `<name>+<id in hexadecimal>+<base64 of 0x01 and the key>`, as other tools take it.
  var text: String { "\(name)+\(Hex.encode(id))+\(Base64.encode([0x01] + key.bytes))" }

  init(name: String, key: VerifyingKey) {
    self.name = name
    self.key = key
  }

  /// Nil for what is no such text, or names an id that is not its key's.
  init?(text: String) {
    let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, !parts[0].isEmpty, let bytes = Base64.decode(String(parts[2])),
      bytes.first == 0x01, let key = try? VerifyingKey(Array(bytes.dropFirst()))
    else { return nil }
    self.init(name: String(parts[0]), key: key)
    guard String(parts[1]) == Hex.encode(id) else { return nil }
  }
}
