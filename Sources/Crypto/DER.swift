internal import COpenSSL

/// The shapes OpenSSL's `i2d_…` and `d2i_…` functions share.
enum DER {
  /// Most bytes of a certificate or request that are looked at.
  static let maxBytes = 64 << 10

  /// What an `i2d_…` function writes; empty when it fails.
  static func encode(
    _ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
  ) -> [UInt8] {
    let count = write(nil)
    guard count > 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: Int(count))
    unsafe bytes.withUnsafeMutableBufferPointer { bytes in
      var next = bytes.baseAddress
      _ = unsafe write(&next)
    }
    return bytes
  }

  /// What a `d2i_…` function makes of all the bytes.
  ///
  /// - Throws: `malformed` when it refuses them, or leaves some over.
  static func decode(
    _ bytes: [UInt8],
    as what: String,
    _ read: (UnsafeMutablePointer<UnsafePointer<UInt8>?>, Int) -> OpaquePointer?,
    free: (OpaquePointer) -> Void
  ) throws(CryptoError) -> OpaquePointer {
    guard !bytes.isEmpty, bytes.count <= maxBytes else {
      throw CryptoError(.malformed, "\(what): \(bytes.count) bytes, not 1 to \(maxBytes)")
    }
    ErrorQueue.clear()
    var consumed = 0
    let handle = unsafe bytes.withUnsafeBufferPointer { bytes in
      var next = bytes.baseAddress
      let handle = unsafe read(&next, bytes.count)
      if let start = bytes.baseAddress, let end = unsafe next {
        consumed = unsafe end - start
      }
      return unsafe handle
    }
    guard let handle = unsafe handle else { throw .drained(.malformed, "\(what) is no DER") }
    guard consumed == bytes.count else {
      unsafe free(handle)
      throw CryptoError(.malformed, "\(what) has \(bytes.count - consumed) bytes left over")
    }
    return unsafe handle
  }
}
