internal import COpenSSL
internal import Synchronization

/// A SHA-256 digest in the making (FIPS 180-4). Owns an `EVP_MD_CTX`.
///
/// `@unchecked Sendable`: it has one owner at a time, and OpenSSL ties no thread to a context.
@safe package struct SHA256: ~Copyable, @unchecked Sendable {
  /// Bytes in a digest.
  package static let byteCount = 32

  /// Fetched once: an implicit fetch takes a lock for each digest. Never freed.
  private nonisolated(unsafe) static let algorithm: OpaquePointer? =
    unsafe EVP_MD_fetch(nil, "SHA256", nil)

  private let context: OpaquePointer

  package init() {
    guard let context = unsafe EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
    guard unsafe EVP_DigestInit_ex(context, Self.algorithm, nil) == 1 else {
      preconditionFailure("this OpenSSL has no SHA-256")
    }
    unsafe self.context = context
  }

  deinit { unsafe EVP_MD_CTX_free(context) }

  package mutating func update(_ bytes: Span<UInt8>) {
    let done = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }
    precondition(done == 1, "a digest takes any bytes")
  }

  /// The digest of all bytes so far, 32 bytes. More may follow.
  package func finalize() -> [UInt8] {
    guard let copy = unsafe EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
    defer { unsafe EVP_MD_CTX_free(copy) }
    var digest = [UInt8](repeating: 0, count: Self.byteCount)
    let done = unsafe digest.withUnsafeMutableBufferPointer { digest in
      guard unsafe EVP_MD_CTX_copy_ex(copy, context) == 1 else { return Int32(0) }
      return unsafe EVP_DigestFinal_ex(copy, digest.baseAddress, nil)
    }
    precondition(done == 1, "a digest that was begun can be ended")
    return digest
  }

  /// The digest of all bytes, 32 bytes; the end.
  package consuming func finish() -> [UInt8] {
    let digest = unsafe [UInt8](unsafeUninitializedCapacity: Self.byteCount) { digest, count in
      let done = unsafe EVP_DigestFinal_ex(context, digest.baseAddress, nil)
      precondition(done == 1, "a digest that was begun can be ended")
      count = Self.byteCount
    }
    return digest
  }

  /// The digest of all bytes, and a new beginning: cheaper than another context for each of many.
  package mutating func finishAndBegin() -> Hash256 {
    let hash = unsafe Hash256 { digest in
      let done = unsafe EVP_DigestFinal_ex(context, digest, nil)
      precondition(done == 1, "a digest that was begun can be ended")
    }
    guard unsafe EVP_DigestInit_ex(context, nil, nil) == 1 else {
      preconditionFailure("a digest's context can be used again")
    }
    return hash
  }

  /// The digest of `bytes`, 32 bytes.
  package static func hash(_ bytes: [UInt8]) -> [UInt8] {
    var hash = SHA256()
    hash.update(bytes.span)
    return hash.finish()
  }

  /// The digest of `domain` and `bytes`, one behind the other. For what is done often: its context is
  /// used again.
  package static func hash(_ domain: Span<UInt8>, _ bytes: Span<UInt8>) -> Hash256 {
    let digest = Digest.take()
    digest.sha.update(domain)
    digest.sha.update(bytes)
    let hash = digest.sha.finishAndBegin()
    digest.give()
    return hash
  }

  /// A digest between two uses.
  ///
  /// `@unchecked Sendable`: whoever took it is its only user.
  private final class Digest: @unchecked Sendable {
    private static let idle = Mutex<[Digest]>([])
    var sha = SHA256()

    static func take() -> Digest { idle.withLock { $0.popLast() } ?? Digest() }

    /// As many are kept as were in use at once, a few at most.
    func give() {
      Self.idle.withLock { idle in
        if idle.count < 8 { idle.append(self) }
      }
    }
  }
}
