internal import Crypto
internal import Host

/// Seals the keys of bodies, so that a copy of the store alone opens none. Lies in a file beside it.
struct MasterKey: Sendable {
  static let file = "ledger/master.key"

  private let cipher: AES256GCM
  /// For hashes of what must not be guessed by whoever lacks the key.
  let salt: [UInt8]

  init(_ key: [UInt8]) {
    cipher = AES256GCM(key: key)
    salt = SHA256.hash(Array("gatehouse.ledger.index.v1\0".utf8) + key)
  }

  /// Reads it, or makes it where there is no ledger yet.
  static func open(in folder: StateFolder, mayMake: Bool) throws(LedgerError) -> MasterKey {
    let path = folder.path(of: file)
    let bytes = try LedgerError.ofHost { () throws(HostError) in try folder.readSecret(file) }
    if let bytes { return try MasterKey(checking: bytes, path) }
    guard mayMake else {
      throw LedgerError(
        .damaged,
        "\(path) is missing, and without it no body of the ledger opens; restore it"
      )
    }
    let made = SecureRandom.bytes(AES256GCM.keyBytes)
    try LedgerError.ofHost { () throws(HostError) in try folder.write(made, to: file) }
    return MasterKey(made)
  }

  /// The key in a state folder, or a copy of one; nil where it was left out.
  static func find(in folder: String) throws(LedgerError) -> MasterKey? {
    let path = "\(folder)/\(file)"
    let bytes = try LedgerError.ofHost { () throws(HostError) in
      try AppendFile(path).read(maxBytes: 1_024)
    }
    return try bytes.map { (bytes) throws(LedgerError) in try MasterKey(checking: bytes, path) }
  }

  private init(checking bytes: [UInt8], _ path: String) throws(LedgerError) {
    guard bytes.count == AES256GCM.keyBytes else {
      throw LedgerError(
        .damaged,
        "\(path) has \(bytes.count) bytes, not \(AES256GCM.keyBytes); restore it"
      )
    }
    self.init(bytes)
  }

  func wrap(_ key: [UInt8], scope name: String) -> [UInt8] {
    let nonce = SecureRandom.bytes(AES256GCM.nonceBytes)
    return nonce + cipher.seal(key, nonce: nonce, context: Array(name.utf8))
  }

  /// Nil when the bytes are no key of this scope.
  func unwrap(_ stored: StoredKey) -> BodyKey? {
    guard let wrapped = stored.wrapped, wrapped.count > AES256GCM.nonceBytes else { return nil }
    let key = try? cipher.open(
      Array(wrapped[AES256GCM.nonceBytes...]),
      nonce: Array(wrapped[..<AES256GCM.nonceBytes]),
      context: Array(stored.name.utf8)
    )
    guard let key, key.count == AES256GCM.keyBytes else { return nil }
    return BodyKey(scope: stored.scope, key)
  }
}
