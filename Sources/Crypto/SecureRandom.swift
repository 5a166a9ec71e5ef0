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

extension SecureRandom {
  /// The same randomness in words, drawn from OpenSSL 512 bytes at a time: a draw costs as much as
  /// a hundred words. What was given out is not kept.
  package struct Generator: RandomNumberGenerator {
    private var words: [UInt64] = []

    package init() {}

    package mutating func next() -> UInt64 {
      if words.isEmpty { refill() }
      return words.removeLast()
    }

    private mutating func refill() {
      let bytes = SecureRandom.bytes(512)
      words = stride(from: 0, to: bytes.count, by: 8).map { start in
        bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
      }
    }
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
