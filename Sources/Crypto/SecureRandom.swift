internal import COpenSSL

/// Bytes nobody can guess.
package enum SecureRandom {
  /// `n` random bytes, from OpenSSL's generator.
  package static func bytes(_ n: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: n)
    let done = unsafe bytes.withUnsafeMutableBufferPointer { bytes in
      unsafe RAND_bytes(bytes.baseAddress, Int32(bytes.count))
    }
    // Keys made without randomness would be worse than no process.
    precondition(done == 1, "the operating system gives no randomness")
    return bytes
  }
}

/// Whether two byte strings are equal, in a time that tells their length only.
package func constantTimeEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
  guard a.count == b.count else { return false }
  return unsafe a.withUnsafeBufferPointer { a in
    unsafe b.withUnsafeBufferPointer { b in
      unsafe CRYPTO_memcmp(a.baseAddress, b.baseAddress, a.count) == 0
    }
  }
}
