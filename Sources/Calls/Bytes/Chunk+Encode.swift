extension Chunk {
  /// A message with 1 byte to 64 KiB of a stream, as any protobuf library would write it.
  package static func message(
    stream: CallStream,
    offset: UInt64,
    data: ArraySlice<UInt8>
  ) -> [UInt8] {
    precondition((1...maxData).contains(data.count), "\(data.count) bytes in a chunk")
    let fields = header(stream: stream, offset: offset, count: data.count)
    let length = fields.count + data.count
    var message: [UInt8] = []
    message.reserveCapacity(length + 4)
    message.append(Tag.chunk)
    append(UInt64(length), to: &message)
    message.append(contentsOf: fields)
    message.append(contentsOf: data)
    return message
  }

  /// What stands before the data. An offset of 0 is left out, as proto3 does.
  private static func header(stream: CallStream, offset: UInt64, count: Int) -> [UInt8] {
    var fields: [UInt8] = [Tag.stream, stream.rawValue]
    if offset > 0 {
      fields.append(Tag.offset)
      append(offset, to: &fields)
    }
    fields.append(Tag.data)
    append(UInt64(count), to: &fields)
    return fields
  }

  private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// The data from `position` on, as a message of its own; at the start it is `message` itself, which
  /// this chunk was decoded from.
  package func suffix(of message: [UInt8], from position: UInt64) -> [UInt8] {
    precondition((offset..<end).contains(position), "position \(position) is not in the chunk")
    guard position > offset else { return message }
    let data = message[data].dropFirst(Int(position - offset))
    return Chunk.message(stream: stream, offset: position, data: data)
  }
}
