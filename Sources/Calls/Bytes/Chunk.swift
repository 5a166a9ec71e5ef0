/// Where the bytes of a relayed message stand: `gatehouse.tools.v1.Chunk` as field 1 of a
/// `CarryRequest`, `CarryResponse`, `InvokeRequest`, `InvokeResponse` or `FollowResponse`.
///
/// The field has the same number in all five, so a message that was checked here goes on as it
/// came, without being encoded again.
package struct Chunk: Sendable, Equatable {
  /// The most data in one chunk.
  package static let maxData = 64 * 1024

  package let stream: CallStream
  /// The position of the first byte of data in the stream.
  package let offset: UInt64
  /// Where the data stands in the message; 1 byte to 64 KiB.
  package let data: Range<Int>

  /// The position behind the data.
  package var end: UInt64 { offset + UInt64(data.count) }

  package init(stream: CallStream, offset: UInt64, data: Range<Int>) {
    self.stream = stream
    self.offset = offset
    self.data = data
  }

  /// Whether a message is a chunk by its first byte; if it is not, something else decodes it.
  package static func begins(_ message: [UInt8]) -> Bool { message.first == Tag.chunk }

  enum Tag {
    static let chunk: UInt8 = 0x0a  // field 1, length-delimited
    static let stream: UInt8 = 0x08  // field 1, varint
    static let offset: UInt8 = 0x10  // field 2, varint
    static let data: UInt8 = 0x1a  // field 3, length-delimited
  }
}

/// Why a message was not relayed.
package enum ChunkError: Error, Equatable {
  /// The message ends within a field, or a field passes the end of the one around it.
  case truncated
  /// A number with more bytes than it needs, or beyond 64 bits.
  case badVarint
  /// Something other than the fields of a chunk, or more than one chunk.
  case unknownField
  case repeatedField
  /// No stream, or one that does not go in this direction.
  case wrongStream
  /// No data, or more than 64 KiB.
  case wrongSize
  /// Positions end at 2⁶³−1.
  case offsetTooLarge
}
