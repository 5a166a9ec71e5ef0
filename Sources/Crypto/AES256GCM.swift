internal import COpenSSL
internal import Synchronization

/// AES-256 in Galois/Counter Mode (NIST SP 800-38D): a key that seals bytes, so that they can neither
/// be read nor changed without it.
package struct AES256GCM: Sendable {
  package static let keyBytes = 32
  package static let nonceBytes = 12
  package static let tagBytes = 16

  private let key: [UInt8]
  private let sealers = Sealers()

  /// - Parameter key: 32 bytes.
  package init(key: [UInt8]) {
    precondition(key.count == Self.keyBytes, "a key of \(key.count) bytes")
    self.key = key
  }

  /// The ciphertext, as long as `plaintext`, then the tag.
  ///
  /// `nonce` has 12 bytes, never the same twice with one key; at random, a key may seal 2^32 times.
  /// `context` is not in the result; `open` has to be given the same.
  package func seal(_ plaintext: [UInt8], nonce: [UInt8], context: [UInt8]) -> [UInt8] {
    precondition(nonce.count == Self.nonceBytes, "a nonce of \(nonce.count) bytes")
    var bytes = nonce + plaintext + [UInt8](repeating: 0, count: Self.tagBytes)
    seal(inPlace: &bytes, context: context)
    return Array(bytes[Self.nonceBytes...])
  }

  /// The same without another copy: nonce, plaintext and room for the tag become nonce, ciphertext and
  /// tag.
  package func seal(inPlace bytes: inout [UInt8], context: [UInt8]) {
    let count = bytes.count - Self.nonceBytes - Self.tagBytes
    precondition(count >= 0, "\(bytes.count) bytes without room for nonce and tag")
    let sealer = sealers.take() ?? Sealer(key)
    let done = unsafe bytes.withUnsafeMutableBufferPointer { bytes in
      guard let nonce = bytes.baseAddress else { return false }
      return unsafe sealer.seal(nonce + Self.nonceBytes, count, nonce: nonce, context)
    }
    precondition(done, "AES-256-GCM takes any bytes")
    sealers.give(sealer)
  }

  /// What `seal` was given.
  ///
  /// - Throws: `badSignature` when a byte of key, nonce, context, ciphertext or tag is another.
  package func open(
    _ sealed: [UInt8],
    nonce: [UInt8],
    context: [UInt8]
  ) throws(CryptoError) -> [UInt8] {
    let refusal = CryptoError(.badSignature, "the bytes are not what was sealed with this key")
    let count = sealed.count - Self.tagBytes
    guard count >= 0, nonce.count == Self.nonceBytes else { throw refusal }
    let cipher = Context()
    // One byte more: an empty array has no memory to point to.
    var plaintext = [UInt8](repeating: 0, count: count + 1)
    var tag = Array(sealed[count...])
    let done = unsafe plaintext.withUnsafeMutableBufferPointer { plaintext in
      var made: Int32 = 0
      guard let start = plaintext.baseAddress,
        unsafe EVP_DecryptInit_ex(cipher.handle, Context.algorithm, nil, key, nonce) == 1,
        unsafe EVP_DecryptUpdate(cipher.handle, nil, &made, context, Int32(context.count)) == 1,
        unsafe EVP_DecryptUpdate(cipher.handle, start, &made, sealed, Int32(count)) == 1,
        unsafe EVP_CIPHER_CTX_ctrl(
          cipher.handle,
          EVP_CTRL_AEAD_SET_TAG,
          Int32(Self.tagBytes),
          &tag
        ) == 1
      else { return false }
      return unsafe EVP_DecryptFinal_ex(cipher.handle, start + count, &made) == 1
    }
    guard done else {
      ErrorQueue.clear()
      throw refusal
    }
    plaintext.removeLast()
    return plaintext
  }

  /// One use of a cipher. Owns an `EVP_CIPHER_CTX`.
  @safe private struct Context: ~Copyable {
    /// Fetched once, as SHA-256 is. Never freed.
    // Safe: OpenSSL's own constant description of the cipher, never changed and never freed.
    nonisolated(unsafe) static let algorithm: OpaquePointer? =
      unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)

    let handle: OpaquePointer

    init() {
      guard let handle = unsafe EVP_CIPHER_CTX_new() else { preconditionFailure("out of memory") }
      unsafe self.handle = handle
    }

    deinit { unsafe EVP_CIPHER_CTX_free(handle) }
  }

  /// A context that has its key, to be used again: with another for each piece, setting up the key was
  /// most of what sealing an event cost.
  ///
  /// `@unchecked Sendable`: whoever took it from `Sealers` is its only user.
  @safe private final class Sealer: @unchecked Sendable {
    private let cipher = Context()

    init(_ key: [UInt8]) {
      let done = unsafe EVP_EncryptInit_ex(cipher.handle, Context.algorithm, nil, key, nil)
      precondition(done == 1, "AES-256-GCM takes any key of its length")
    }

    /// Seals `count` bytes where they lie; the tag goes behind them.
    @unsafe func seal(
      _ start: UnsafeMutablePointer<UInt8>,
      _ count: Int,
      nonce: UnsafePointer<UInt8>,
      _ context: [UInt8]
    ) -> Bool {
      var made: Int32 = 0
      guard unsafe EVP_EncryptInit_ex(cipher.handle, nil, nil, nil, nonce) == 1,
        unsafe EVP_EncryptUpdate(cipher.handle, nil, &made, context, Int32(context.count)) == 1,
        unsafe EVP_EncryptUpdate(cipher.handle, start, &made, start, Int32(count)) == 1,
        unsafe EVP_EncryptFinal_ex(cipher.handle, start + count, &made) == 1
      else { return false }
      return unsafe EVP_CIPHER_CTX_ctrl(
        cipher.handle,
        EVP_CTRL_AEAD_GET_TAG,
        Int32(AES256GCM.tagBytes),
        start + count
      ) == 1
    }
  }

  /// Keeps one sealer between two uses; who comes meanwhile makes another, which is not kept.
  private final class Sealers: Sendable {
    private let idle = Mutex<Sealer?>(nil)

    func take() -> Sealer? {
      idle.withLock { idle in
        defer { idle = nil }
        return idle
      }
    }

    func give(_ sealer: Sealer) { idle.withLock { $0 = sealer } }
  }
}
