/// Bytes of a stream by position: cheap to make and to check, and different wherever one could be
/// off by a frame, a record or a window.
enum BytePattern {
  private static let period = 251
  private static let source = (0..<chunkBytes + period).map { UInt8($0 % period) }

  /// What streams are cut into.
  static let chunkBytes = 65_536

  /// The bytes from `offset` on, at most one chunk.
  static func bytes(from offset: Int, count: Int) -> ArraySlice<UInt8> {
    precondition(count <= chunkBytes)
    let start = offset % period
    return source[start..<start + count]
  }

  static func matches(_ bytes: some Collection<UInt8>, from offset: Int) -> Bool {
    self.bytes(from: offset, count: bytes.count).elementsEqual(bytes)
  }
}
