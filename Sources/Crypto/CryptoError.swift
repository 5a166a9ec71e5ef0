internal import COpenSSL

/// Why something cryptographic could not be done.
package struct CryptoError: Error, Equatable, CustomStringConvertible {
  package enum Code: Sendable, Equatable {
    /// The bytes are not what they should be: no DER, no PEM, a name with a NUL.
    case malformed
    /// A signature does not fit its key.
    case badSignature
    /// A key below P-256 or RSA 2048, or of a kind that is not accepted.
    case weakKey
    /// OpenSSL refused for another reason; the message holds its words.
    case failed
  }

  package let code: Code
  /// For people; holds no secrets.
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}

extension CryptoError {
  /// An error with what OpenSSL's queue says, oldest first. Empties the queue.
  static func drained(_ code: Code, _ what: String) -> CryptoError {
    let reasons = ErrorQueue.drain()
    guard !reasons.isEmpty else { return CryptoError(code, what) }
    return CryptoError(code, what + ": " + reasons.joined(separator: "; "))
  }
}

/// OpenSSL's error queue of the current thread.
///
/// Left-overs of one call are taken for the reason of the next, so each of our calls begins with
/// `clear` and ends a failure with `drain`.
enum ErrorQueue {
  static func clear() { ERR_clear_error() }

  static func drain() -> [String] {
    var reasons: [String] = []
    while case let code = ERR_get_error(), code != 0 {
      reasons.append(text(code))
    }
    return reasons
  }

  private static func text(_ code: UInt) -> String {
    var line = [CChar](repeating: 0, count: 256)
    unsafe line.withUnsafeMutableBufferPointer { line in
      unsafe ERR_error_string_n(code, line.baseAddress, line.count)
    }
    let bytes = line.prefix { $0 != 0 }.map { UInt8(truncatingIfNeeded: $0) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
