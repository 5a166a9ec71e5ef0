/// Reads the fields of a protobuf message, in the order they come (protobuf.dev, "Encoding").
///
/// For the few messages that gRPC itself defines: RPC knows no generated code.
package struct ProtobufReader {
  private let bytes: ArraySlice<UInt8>
  private var index: Int

  package enum Value: Equatable, Sendable {
    case varint(UInt64)
    /// A string, bytes, a message, or packed numbers.
    case bytes(ArraySlice<UInt8>)
    /// Four or eight bytes, which none of our messages has.
    case fixed
  }

  /// The bytes are no protobuf message.
  package struct Malformed: Error {}

  package init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    index = bytes.startIndex
  }

  package init(_ bytes: [UInt8]) { self.init(bytes[...]) }

  /// The next field; `nil` at the end.
  package mutating func next() throws(Malformed) -> (number: Int, value: Value)? {
    guard index < bytes.endIndex else { return nil }
    let tag = try varint()
    let number = Int(truncatingIfNeeded: tag >> 3)
    guard (1...0x1fff_ffff).contains(number), tag <= UInt64(UInt32.max) else { throw Malformed() }
    switch tag & 7 {
    case 0: return (number, .varint(try varint()))
    case 1:
      _ = try take(8)
      return (number, .fixed)
    case 2:
      let length = try varint()
      guard length <= UInt64(bytes.endIndex - index) else { throw Malformed() }
      return (number, .bytes(try take(Int(length))))
    case 5:
      _ = try take(4)
      return (number, .fixed)
    default: throw Malformed()  // groups, which proto3 has not
    }
  }

  private mutating func take(_ count: Int) throws(Malformed) -> ArraySlice<UInt8> {
    guard count <= bytes.endIndex - index else { throw Malformed() }
    defer { index += count }
    return bytes[index..<index + count]
  }

  private mutating func varint() throws(Malformed) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      guard index < bytes.endIndex else { throw Malformed() }
      let byte = bytes[index]
      index += 1
      value |= UInt64(byte & 0x7f) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw Malformed()
  }
}

extension ProtobufReader.Value {
  /// As an `int32` or an enum's number; 0 for another kind of field.
  package var int32: Int32 {
    if case .varint(let value) = self { Int32(truncatingIfNeeded: value) } else { 0 }
  }

  package var bool: Bool { if case .varint(let value) = self { value != 0 } else { false } }

  /// Empty for another kind of field.
  package var slice: ArraySlice<UInt8> { if case .bytes(let bytes) = self { bytes } else { [] } }

  /// - Throws: when it is not UTF-8, which proto3 demands.
  package var string: String {
    get throws(ProtobufReader.Malformed) {
      guard let text = String(validating: slice, as: UTF8.self) else {
        throw ProtobufReader.Malformed()
      }
      return text
    }
  }
}
