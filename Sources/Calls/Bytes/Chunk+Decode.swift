extension Chunk {
  /// Walks a message once and says where its bytes are. Allocates nothing.
  ///
  /// Stricter than protobuf, because the message is forwarded to programs that will decode it their
  /// way: each field at most once, none unknown, numbers in their shortest form,
  /// no stream that goes the other way.
  ///
  /// - Throws: the first thing found wrong. The message came from the peer, so the peer's stream
  ///   ends.
  package init(
    message: [UInt8],
    direction: CallStream.Direction
  ) throws(ChunkError) {
    var reader = FieldReader(next: 0, end: message.count)
    guard try reader.byte(of: message) == Tag.chunk else { throw .unknownField }
    guard try reader.length(of: message) == message.count - reader.next else {
      throw reader.passedEnd ? .truncated : .unknownField
    }
    try self.init(fields: &reader, of: message, direction: direction)
  }

  private init(
    fields reader: inout FieldReader,
    of message: [UInt8],
    direction: CallStream.Direction
  ) throws(ChunkError) {
    var number: UInt64?
    var offset: UInt64?
    var data: Range<Int>?
    while reader.next < reader.end {
      switch try reader.byte(of: message) {
      case Tag.stream:
        guard number == nil else { throw .repeatedField }
        number = try reader.varint(of: message)
      case Tag.offset:
        guard offset == nil else { throw .repeatedField }
        offset = try reader.varint(of: message)
      case Tag.data:
        guard data == nil else { throw .repeatedField }
        data = try reader.bytes(of: message)
      default: throw .unknownField
      }
    }
    try self.init(number: number, offset: offset ?? 0, data: data, direction: direction)
  }

  private init(
    number: UInt64?,
    offset: UInt64,
    data: Range<Int>?,
    direction: CallStream.Direction
  ) throws(ChunkError) {
    guard let number = number.flatMap(UInt8.init(exactly:)),
      let stream = CallStream(rawValue: number),
      stream.direction == direction
    else { throw .wrongStream }
    guard let data, (1...Self.maxData).contains(data.count) else { throw .wrongSize }
    guard offset <= UInt64(Int64.max) - UInt64(data.count) else { throw .offsetTooLarge }
    self.init(stream: stream, offset: offset, data: data)
  }
}
