import SwiftProtobuf
import Testing
import Wire

@testable import DaemonWire

/// One message as a value of each runtime; they must agree on its bytes.
struct Pair: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let check: @Sendable () throws -> Void

  init<Ours: WireMessage, Theirs: SwiftProtobuf.Message & Equatable>(_ ours: Ours, _ theirs: Theirs)
  {
    testDescription = "\(Ours.self)"
    check = {
      let encoded = try ours.encoded()
      #expect(try Theirs(serializedBytes: encoded) == theirs)
      let bytes: [UInt8] = try theirs.serializedBytes()
      #expect(try Ours(decoding: bytes) == ours)
    }
  }
}

/// What the C runtime writes, SwiftProtobuf reads, and the other way round.
struct RoundTripTests {
  @Test(arguments: callPairs + linkPairs + filesPairs + effectsPairs + otherPairs)
  func `both runtimes agree on a message with every field set`(pair: Pair) throws {
    try pair.check()
  }

  @Test func `a file name that is not UTF-8 travels without loss`() throws {
    let request = ReadRequest(path: [0x66, 0xff, 0xfe, 0x2f, 0x80])
    #expect(try reread(request) == request)
  }

  @Test func `an enum value of a later generation is kept`() throws {
    let chunk = Chunk(stream: .unrecognized(77), offset: 1, data: [1])
    #expect(try reread(chunk) == chunk)
    let theirs = try Gatehouse_Tools_V1_Chunk(serializedBytes: try chunk.encoded())
    #expect(theirs.stream.rawValue == 77)
  }

  @Test func `negative enum values and the largest numbers are kept`() throws {
    let gap = Gap(stream: .unrecognized(-5), offset: .max, length: .max)
    #expect(try reread(gap) == gap)
    let info = FileInfo(bytes: .max, mode: .max, modifiedUnixUs: .min)
    #expect(try reread(info) == info)
  }

  @Test func `a oneof without a case is nil`() throws {
    #expect(try ConnectResponse(decoding: []).message == nil)
    #expect(try CarryRequest().encoded().isEmpty)
    #expect(try ReadRequest(decoding: []).range == nil)
  }

  @Test func `an empty message in a oneof is not nil`() throws {
    let request = ConnectRequest(message: .heartbeat(Heartbeat()))
    #expect(try reread(request) == request)
    let absent = Precondition(condition: .absent(false))
    #expect(try reread(absent) == absent)
  }

  @Test func `unknown fields are ignored`() throws {
    // Field 900 as varint, 64 bits, bytes and 32 bits.
    let unknown: [UInt8] =
      [0xa0, 0x38, 1] + [0xa1, 0x38, 1, 2, 3, 4, 5, 6, 7, 8] + [0xa2, 0x38, 2, 0xff, 0]
      + [0xa5, 0x38, 1, 2, 3, 4]
    let bytes = try unknown + CancelCall(callId: "call_a").encoded() + unknown
    #expect(try CancelCall(decoding: bytes) == CancelCall(callId: "call_a"))
  }

  private func reread<M: WireMessage>(_ message: M) throws -> M {
    try M(decoding: try message.encoded())
  }
}
