import SwiftProtobuf
import Testing
import Wire

@testable import DaemonWire

/// Bytes and strings that are refused, never shortened.
struct RefusalTests {
  @Test func `a string with a NUL is not encoded`() {
    #expect(throws: WireError.unsendableText) {
      try Refused(callId: "call_a", error: ToolError(message: "a\0b")).encoded()
    }
  }

  @Test func `a string with a NUL is not decoded`() throws {
    var resume = Gatehouse_Link_V1_Resume()
    resume.callID = "call\0"
    let bytes: [UInt8] = try resume.serializedBytes()
    #expect(throws: WireError.invalidText(message: "Resume", field: "call_id")) {
      try Resume(decoding: bytes)
    }
  }

  @Test func `bad UTF-8 is refused in nested and repeated strings`() {
    // ConnectResponse.welcome (1) with capabilities (3).
    #expect(throws: WireError.invalidText(message: "Welcome", field: "capabilities")) {
      try ConnectResponse(decoding: [0x0a, 6, 0x1a, 1, 0x61, 0x1a, 1, 0xc0])
    }
  }

  @Test(arguments: [[0x0a, 2, 0xed, 0xa0], [0x0a, 1, 0xff], [0x0a, 2, 0xc0, 0x80]] as [[UInt8]])
  func `bad UTF-8 is refused`(bytes: [UInt8]) {
    #expect(throws: WireError.invalidText(message: "Drain", field: "reason")) {
      try Drain(decoding: bytes)
    }
  }

  @Test(
    arguments: [
      [0x0b], [0x0f], [0x00], [0x0a, 2, 0x61], [0x0d, 1, 2, 3], [0x80], [0x0a],
      [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
      [UInt8](repeating: 0x80, count: 11),
    ] as [[UInt8]]
  )
  func `bytes that are no message are refused`(bytes: [UInt8]) {
    #expect(throws: WireError.malformed(message: "Drain")) { try Drain(decoding: bytes) }
  }

  @Test func `a nested message cut at any length is read as SwiftProtobuf reads it`() throws {
    let whole = try ConnectResponse(message: .offer(offer)).encoded()
    for length in 0...whole.count {
      let cut = Array(whole.prefix(length))
      let theirs = try? Gatehouse_Link_V1_ConnectResponse(serializedBytes: cut)
      let expected: [UInt8]? = try theirs?.serializedBytes()
      let ours = try (try? ConnectResponse(decoding: cut))?.encoded()
      #expect(ours == expected)
    }
  }

  @Test func `an offer cut at any length is read as SwiftProtobuf reads it`() throws {
    let whole = try offer.encoded()
    for length in 0...whole.count {
      let cut = Array(whole.prefix(length))
      let theirs = try? Gatehouse_Link_V1_Offer(serializedBytes: cut)
      let expected: [UInt8]? = try theirs?.serializedBytes()
      let ours = try (try? Offer(decoding: cut))?.encoded()
      #expect(ours == expected)
    }
  }

  @Test func `errors name the message and field`() {
    #expect("\(WireError.malformed(message: "Offer"))" == "malformed Offer")
    #expect(
      "\(WireError.invalidText(message: "Offer", field: "tool"))"
        == "Offer.tool is not UTF-8 without NUL"
    )
  }

  private let offer = Offer(
    callId: "call_é",
    ticket: [UInt8](0..<16),
    digest: [1, 0, 2],
    deadlineMs: 60_000,
    tool: "process.exec",
    request: [UInt8](repeating: 0, count: 40),
    requestBytes: 40
  )
}
