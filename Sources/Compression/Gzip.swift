internal import CZlib

/// Whole buffers to and from the gzip format (RFC 1952).
package enum Gzip {
  package enum Failure: Error, Equatable {
    /// The result would pass the limit.
    case tooLarge
    /// Not gzip, cut short, or more than one member.
    case malformed
    case noMemory
  }

  /// - Throws: `noMemory`.
  package static func compress(_ bytes: [UInt8]) throws(Failure) -> [UInt8] {
    var stream = unsafe z_stream()
    guard unsafe gh_gzip_deflate_init(&stream) == Z_OK else { throw .noMemory }
    defer { unsafe deflateEnd(&stream) }
    var output = [UInt8](
      repeating: 0,
      count: unsafe Int(deflateBound(&stream, UInt(bytes.count)))
    )
    let code = unsafe step(&stream, bytes, into: &output, from: 0) { unsafe deflate($0, Z_FINISH) }
    // With `deflateBound` bytes of room one call is enough.
    guard code == Z_STREAM_END else { throw .noMemory }
    unsafe output.removeLast(output.count - Int(stream.total_out))
    return output
  }

  /// Takes one whole member.
  ///
  /// - Throws: `tooLarge` when more than `maxBytes` come out; at most one byte more is made.
  package static func decompress(_ bytes: [UInt8], maxBytes: Int) throws(Failure) -> [UInt8] {
    var stream = unsafe z_stream()
    guard unsafe gh_gzip_inflate_init(&stream) == Z_OK else { throw .noMemory }
    defer { unsafe inflateEnd(&stream) }
    var output: [UInt8] = []
    var room = min(max(firstBytes, bytes.count * 2), maxBytes + 1)
    while true {
      let made = output.count
      output += [UInt8](repeating: 0, count: room)
      let code = unsafe step(&stream, bytes, into: &output, from: made) {
        unsafe inflate($0, Z_NO_FLUSH)
      }
      unsafe output.removeLast(output.count - Int(stream.total_out))
      guard output.count <= maxBytes else { throw .tooLarge }
      let isFull = unsafe stream.avail_out == 0
      switch code {
      case Z_STREAM_END:
        guard unsafe stream.avail_in == 0 else { throw .malformed }
        return output
      case Z_OK where isFull: room = min(output.count, maxBytes + 1 - output.count)
      case Z_MEM_ERROR: throw .noMemory
      default: throw .malformed
      }
    }
  }

  /// Room at first; it doubles from there, so that memory follows what really comes out.
  private static let firstBytes = 4_096

  /// Goes on after what `stream` has consumed, and fills `output` from `start` on. Both buffers lie
  /// still during the call only.
  private static func step(
    _ stream: inout z_stream,
    _ input: [UInt8],
    into output: inout [UInt8],
    from start: Int,
    _ body: (UnsafeMutablePointer<z_stream>) -> Int32
  ) -> Int32 {
    let consumed = unsafe Int(stream.total_in)
    return unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        let first = unsafe input.baseAddress.map { unsafe $0 + consumed }
        unsafe stream.next_in = UnsafeMutablePointer(mutating: first)
        unsafe stream.avail_in = UInt32(input.count - consumed)
        unsafe stream.next_out = output.baseAddress.map { unsafe $0 + start }
        unsafe stream.avail_out = UInt32(output.count - start)
        return unsafe body(&stream)
      }
    }
  }
}
