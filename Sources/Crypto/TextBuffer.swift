internal import COpenSSL

/// Text on its way into or out of OpenSSL's PEM and print functions. Owns a memory `BIO`.
@safe struct TextBuffer: ~Copyable {
  let handle: OpaquePointer

  init() throws(CryptoError) {
    guard let handle = unsafe BIO_new(BIO_s_mem()) else {
      throw .drained(.failed, "no memory for a buffer")
    }
    unsafe self.handle = handle
  }

  /// A buffer to read `text` from, which is at most 1 MiB.
  static func holding(_ text: String) throws(CryptoError) -> TextBuffer {
    let buffer = try TextBuffer()
    try buffer.write(text)
    return buffer
  }

  private func write(_ text: String) throws(CryptoError) {
    let bytes = Array(text.utf8)
    guard bytes.count <= 1 << 20 else { throw CryptoError(.malformed, "more than 1 MiB of PEM") }
    let written = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe BIO_write(handle, bytes.baseAddress, Int32(bytes.count))
    }
    guard bytes.isEmpty || written == bytes.count else {
      throw .drained(.failed, "no memory for a buffer")
    }
  }

  deinit { unsafe BIO_free(handle) }

  /// What was written and not yet read.
  func text() -> String {
    var bytes = [UInt8](repeating: 0, count: unsafe BIO_ctrl_pending(handle))
    let read = unsafe bytes.withUnsafeMutableBufferPointer { bytes in
      unsafe BIO_read(handle, bytes.baseAddress, Int32(bytes.count))
    }
    return String(decoding: bytes.prefix(max(0, Int(read))), as: UTF8.self)
  }
}
