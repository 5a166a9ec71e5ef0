import Testing

@testable import RPC

@Suite struct `Protobuf by hand` {
  @Test(arguments: [1, -1, 127, 128, .max, .min] as [Int32])
  func `a number comes back`(number: Int32) throws {
    var writer = ProtobufWriter()
    writer.add(3, number)
    var reader = ProtobufReader(writer.bytes)
    let field = try reader.next()
    #expect(field?.number == 3)
    #expect(field?.value.int32 == number)
    #expect(try reader.next() == nil)
  }

  @Test func `zero and empty scalars are left out, elements are not`() {
    var writer = ProtobufWriter()
    writer.add(1, 0 as Int32)
    writer.add(2, "")
    writer.add(3, false)
    #expect(writer.bytes.isEmpty)
    writer.addElement(4, [])
    #expect(writer.bytes == [4 << 3 | 2, 0])
  }

  @Test func `fixed numbers are passed over`() throws {
    var reader = ProtobufReader([1 << 3 | 5, 1, 2, 3, 4, 2 << 3 | 1, 1, 2, 3, 4, 5, 6, 7, 8, 24, 7])
    #expect(try reader.next()?.value == .fixed)
    #expect(try reader.next()?.value == .fixed)
    #expect(try reader.next()?.value == .varint(7))
  }

  @Test(
    arguments: [
      [0x08], [0x0a, 2, 1], [0x0d, 1, 2, 3], [0x09, 1], [0x00, 1], [0x0b], [0x0c], [0x0f],
      [UInt8](repeating: 0xff, count: 11), [0x0a] + [UInt8](repeating: 0xff, count: 9) + [1],
    ] as [[UInt8]]
  )
  func `what is cut or no protobuf is malformed`(bytes: [UInt8]) {
    var reader = ProtobufReader(bytes)
    #expect(throws: ProtobufReader.Malformed.self) { while try reader.next() != nil {} }
  }

  @Test func `a string is UTF-8`() {
    #expect(throws: ProtobufReader.Malformed.self) {
      try ProtobufReader.Value.bytes([0xff]).string
    }
  }
}
