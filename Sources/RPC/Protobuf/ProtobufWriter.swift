/// Writes a protobuf message field by field. As proto3 does, zero and empty scalars are left out;
/// messages and the elements of repeated fields are not.
package struct ProtobufWriter {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func add(_ number: Int, _ value: Int32) {
    guard value != 0 else { return }
    tag(number, 0)
    varint(UInt64(bitPattern: Int64(value)))
  }

  package mutating func add(_ number: Int, _ value: Bool) { add(number, value ? 1 : 0) }

  package mutating func add(_ number: Int, _ value: String) {
    if !value.isEmpty { addElement(number, Array(value.utf8)) }
  }

  package mutating func add(_ number: Int, _ value: [UInt8]) {
    if !value.isEmpty { addElement(number, value) }
  }

  /// A message, or one of several strings or bytes.
  package mutating func addElement(_ number: Int, _ value: [UInt8]) {
    tag(number, 2)
    varint(UInt64(value.count))
    bytes += value
  }

  private mutating func tag(_ number: Int, _ type: Int) { varint(UInt64(number << 3 | type)) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
