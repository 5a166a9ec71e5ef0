import Calls
import FoundationEssentials
import SwiftProtobuf
import Testing
import Wire

struct ChunkTests {
  static let offsets: [UInt64] = [
    0, 1, 127, 128, 300, 1 << 21, 1 << 35, UInt64(Int64.max) - 70_000,
  ]
  static let counts = [1, 2, 100, 127, 128, 129, 16_384, Chunk.maxData]

  /// As SwiftProtobuf writes it.
  static func wire(_ stream: CallStream, _ offset: UInt64, _ data: [UInt8]) throws -> [UInt8] {
    var message = Gatehouse_Link_V1_CarryRequest()
    message.chunk.stream = .init(rawValue: Int(stream.rawValue)) ?? .unspecified
    message.chunk.offset = offset
    message.chunk.data = .init(data)
    return try Array(message.serializedBytes() as [UInt8])
  }

  @Test(arguments: offsets, counts)
  func `encodes as SwiftProtobuf does, and decodes it`(offset: UInt64, count: Int) throws {
    let data = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    let message = Chunk.message(stream: .stderr, offset: offset, data: data[...])
    #expect(try message == Self.wire(.stderr, offset, data))
    let chunk = try Chunk(message: message, direction: .fromTool)
    #expect(chunk.stream == .stderr)
    #expect(chunk.offset == offset)
    #expect(Array(message[chunk.data]) == data)
  }

  @Test func `every cut is refused`() throws {
    let message = try Self.wire(.stdout, 70_000, Array(1...200))
    for length in 0..<message.count {
      #expect(throws: ChunkError.self) {
        try Chunk(message: Array(message.prefix(length)), direction: .fromTool)
      }
    }
  }

  @Test func `what is accepted means the same to SwiftProtobuf, whatever byte flips`() throws {
    let message = try Self.wire(.stdout, 70_000, Array(1...40))
    for index in message.indices {
      for bit in 0..<8 {
        var flipped = message
        flipped[index] ^= 1 << UInt8(bit)
        guard let chunk = try? Chunk(message: flipped, direction: .fromTool) else { continue }
        let decoded = try Gatehouse_Link_V1_CarryRequest(serializedBytes: flipped)
        #expect(decoded.chunk.stream.rawValue == Int(chunk.stream.rawValue))
        #expect(decoded.chunk.offset == chunk.offset)
        #expect(Array(decoded.chunk.data) == Array(flipped[chunk.data]))
      }
    }
  }

  @Test(
    arguments: [
      ([0x0a, 5, 0x08, 2, 0x1a, 1, 7], nil),
      ([0x0a, 5, 0x1a, 1, 7, 0x08, 2], nil),
      ([0x0a, 7, 0x08, 2, 0x10, 0, 0x1a, 1, 7], nil),
      ([0x0a, 7, 0x08, 2, 0x08, 2, 0x1a, 1, 7], .repeatedField),
      ([0x0a, 7, 0x10, 1, 0x10, 1, 0x1a, 1, 7], .repeatedField),
      ([0x0a, 8, 0x08, 2, 0x1a, 1, 7, 0x1a, 1, 7], .repeatedField),
      ([0x0a, 7, 0x08, 2, 0x20, 0, 0x1a, 1, 7], .unknownField),
      ([0x0a, 5, 0x08, 2, 0x1a, 1, 7, 0x0a, 0], .unknownField),
      ([0x12, 5, 0x08, 2, 0x1a, 1, 7], .unknownField),
      ([0x0a, 6, 0x08, 0x82, 0, 0x1a, 1, 7], .badVarint),
      ([0x0a, 0x85, 0, 0x08, 2, 0x1a, 1, 7], .badVarint),
      ([0x0a, 6, 0x08, 2, 0x1a, 0x81, 0, 7], .badVarint),
      ([0x0a, 5, 0x08, 1, 0x1a, 1, 7], .wrongStream),
      ([0x0a, 5, 0x08, 0, 0x1a, 1, 7], .wrongStream),
      ([0x0a, 5, 0x08, 6, 0x1a, 1, 7], .wrongStream),
      ([0x0a, 3, 0x1a, 1, 7], .wrongStream),
      ([0x0a, 4, 0x08, 2, 0x1a, 0], .wrongSize),
      ([0x0a, 2, 0x08, 2], .wrongSize),
      ([0x0a, 5, 0x08, 2, 0x1a, 2, 7], .truncated),
      (
        [0x0a, 15, 0x08, 2, 0x10, 255, 255, 255, 255, 255, 255, 255, 255, 127, 0x1a, 1, 7],
        .offsetTooLarge
      ),
      (
        [0x0a, 16, 0x08, 2, 0x10, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2, 0x1a, 1, 7],
        .badVarint
      ),
    ] as [([UInt8], ChunkError?)]
  )
  func `a chunk has each field once and nothing else`(message: [UInt8], error: ChunkError?) {
    let decode = { () throws(ChunkError) in try Chunk(message: message, direction: .fromTool) }
    if let error {
      #expect(throws: error) { try decode() }
    } else {
      #expect(throws: Never.self) { try decode() }
    }
  }

  @Test func `more than 64 KiB is refused`() throws {
    let data = [UInt8](repeating: 1, count: Chunk.maxData + 1)
    let message = try Self.wire(.stdout, 0, data)
    #expect(throws: ChunkError.wrongSize) { try Chunk(message: message, direction: .fromTool) }
  }

  @Test func `a suffix is a message of its own`() throws {
    let message = Chunk.message(stream: .stdout, offset: 100, data: [1, 2, 3, 4])
    let chunk = try Chunk(message: message, direction: .fromTool)
    #expect(chunk.suffix(of: message, from: 100) == message)
    #expect(
      chunk.suffix(of: message, from: 102)
        == Chunk.message(stream: .stdout, offset: 102, data: [3, 4])
    )
  }
}
