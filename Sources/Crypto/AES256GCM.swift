internal import COpenSSL

/// AES-256 in Galois/Counter Mode (NIST SP 800-38D): a key that seals bytes, so that they can neither
/// be read nor changed without it.
package struct AES256GCM: Sendable {
  package static let keyBytes = 32
  package static let nonceBytes = 12
  package static let tagBytes = 16

  private let key: [UInt8]

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
    let cipher = Context()
    var sealed = [UInt8](repeating: 0, count: plaintext.count + Self.tagBytes)
    let done = unsafe sealed.withUnsafeMutableBufferPointer { sealed in
      var made: Int32 = 0
      guard let start = sealed.baseAddress,
        unsafe EVP_EncryptInit_ex(cipher.handle, Context.algorithm, nil, key, nonce) == 1,
        unsafe EVP_EncryptUpdate(cipher.handle, nil, &made, context, Int32(context.count)) == 1,
        unsafe EVP_EncryptUpdate(cipher.handle, start, &made, plaintext, Int32(plaintext.count))
          == 1,
        unsafe EVP_EncryptFinal_ex(cipher.handle, start + plaintext.count, &made) == 1
      else { return false }
      return unsafe EVP_CIPHER_CTX_ctrl(
        cipher.handle,
        EVP_CTRL_AEAD_GET_TAG,
        Int32(Self.tagBytes),
        start + plaintext.count
      ) == 1
    }
    precondition(done, "AES-256-GCM takes any bytes")
    return sealed
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
}
