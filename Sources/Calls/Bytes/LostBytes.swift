/// Bytes of one stream that nobody will send any more; `gatehouse.tools.v1.Gap`.
package struct LostBytes: Sendable, Equatable {
  package let stream: CallStream
  /// The first lost byte.
  package let offset: UInt64
  /// In bytes, at least 1.
  package let count: UInt64

  package init(stream: CallStream, offset: UInt64, count: UInt64) {
    self.stream = stream
    self.offset = offset
    self.count = count
  }

  /// The first byte after them.
  package var end: UInt64 { offset + count }
}
