internal import Crypto
internal import Host

/// The key that signs checkpoints, in a file of its own: it is no TLS key, and is exchanged on its
/// own.
struct CheckpointKeys: Sendable {
  static let file = "ledger/checkpoint.key"
  /// A new key, until the event that tells of it is durable.
  static let nextFile = "ledger/checkpoint.next.key"

  private let folder: StateFolder

  init(in folder: StateFolder) { self.folder = folder }

  /// The key that the ledger names as its own, whichever file it is in. It is the only one afterwards.
  ///
  /// - Throws: `damaged` when neither is it.
  func key(for verifier: NoteKey) throws(LedgerError) -> SigningKey {
    if let key = try read(Self.file), key.verifier == verifier.key {
      // The event of the next one, if there is one, was refused.
      try remove(Self.nextFile)
      return key
    }
    if let key = try read(Self.nextFile), key.verifier == verifier.key {
      try promote()
      return key
    }
    throw LedgerError(
      .damaged,
      "\(folder.path(of: Self.file)) is missing, or not the ledger's key \(verifier.text); restore it"
    )
  }

  /// The key, unless an exchange of keys was cut off.
  func current() throws(LedgerError) -> SigningKey? {
    try seed(Self.nextFile).isEmpty ? read(Self.file) : nil
  }

  /// A new key, in `file`.
  func make(_ file: String) throws(LedgerError) -> SigningKey {
    let seed = SecureRandom.bytes(VerifyingKey.byteCount)
    try write(key: seed, to: file)
    return try signingKey(seed)
  }

  /// The key that takes over from `current`, in its file before anybody hears of it.
  ///
  /// One that is there already is never written over, since an event may name it: it is the one that
  /// signs, and could not be promoted; or its event was refused, and then it serves as well as another.
  func next(after current: SigningKey) throws(LedgerError) -> SigningKey {
    if let next = try read(Self.nextFile) {
      guard next.verifier == current.verifier else { return next }
      try promote()
    }
    return try make(Self.nextFile)
  }

  /// The next key is the key.
  func promote() throws(LedgerError) {
    try write(key: try seed(Self.nextFile), to: Self.file)
    try remove(Self.nextFile)
  }

  private func remove(_ file: String) throws(LedgerError) {
    try LedgerError.ofHost { () throws(HostError) in try folder.remove(file) }
  }

  private func read(_ file: String) throws(LedgerError) -> SigningKey? {
    let seed = try seed(file)
    return seed.isEmpty ? nil : try signingKey(seed)
  }

  /// Empty where there is no such file.
  private func seed(_ file: String) throws(LedgerError) -> [UInt8] {
    let bytes = try LedgerError.ofHost { () throws(HostError) in try folder.readSecret(file) }
    guard let bytes else { return [] }
    let text = String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" }
    guard let seed = Hex.decode(String(text)), seed.count == VerifyingKey.byteCount else {
      throw LedgerError(.damaged, "\(folder.path(of: file)) holds no key; restore it")
    }
    return seed
  }

  private func write(key seed: [UInt8], to file: String) throws(LedgerError) {
    try LedgerError.ofHost { () throws(HostError) in
      try folder.write(Array((Hex.encode(seed) + "\n").utf8), to: file)
    }
  }

  private func signingKey(_ seed: [UInt8]) throws(LedgerError) -> SigningKey {
    do {
      return try SigningKey(seed: seed)
    } catch {
      throw LedgerError(.damaged, error.description)
    }
  }
}
