import Testing

@testable import RPC

@Suite struct `Message assembler` {
  private static let messages: [[UInt8]] = [[], [1], Array(2...200), []]

  private static var wire: [UInt8] {
    var bytes: [UInt8] = []
    for message in messages {
      MessageAssembler.appendPrefix(length: message.count, to: &bytes)
      bytes += message
    }
    return bytes
  }

  @Test(arguments: 1...wire.count)
  func `messages survive a cut after every so many bytes`(step: Int) throws {
    var assembler = MessageAssembler(maxBytes: 1_000)
    var found: [[UInt8]] = []
    for start in stride(from: 0, to: Self.wire.count, by: step) {
      let part = Array(Self.wire[start..<min(start + step, Self.wire.count)])
      try assembler.append(part.span) { message, _, _ in found.append(message) }
    }
    #expect(found == Self.messages)
    #expect(!assembler.isPartial)
  }

  @Test func `a length above the limit is refused before its bytes come`() {
    var assembler = MessageAssembler(maxBytes: 10)
    let prefix: [UInt8] = [0, 0, 0, 0, 11]
    let error = #expect(throws: RPCStatus.self) {
      try assembler.append(prefix.span) { _, _, _ in }
    }
    #expect(error?.code == .resourceExhausted)
  }

  @Test func `nothing is put together once the framing was broken`() throws {
    var assembler = MessageAssembler(maxBytes: 10)
    let prefix: [UInt8] = [0, 0, 0, 0, 11]
    #expect(throws: RPCStatus.self) { try assembler.append(prefix.span) { _, _, _ in } }
    let whole: [UInt8] = [0, 0, 0, 0, 1, 7]
    try assembler.append(whole.span) { message, _, _ in Issue.record("a message came: \(message)") }
    #expect(assembler.partialBytes == 0 && !assembler.isPartial)
  }

  @Test(arguments: [1, 2, 255] as [UInt8])
  func `a set flag without an encoding is refused`(flag: UInt8) {
    var assembler = MessageAssembler(maxBytes: 10)
    let prefix: [UInt8] = [flag, 0, 0, 0, 1]
    let error = #expect(throws: RPCStatus.self) {
      try assembler.append(prefix.span) { _, _, _ in }
    }
    #expect(error?.code == .internalError)
  }

  @Test func `a message that fits half the window does not exceed it`() throws {
    var assembler = MessageAssembler(maxBytes: 1_000_000)
    try assembler.append([0, 0, 0, 0, 95].span) { _, _, _ in }
    #expect(!assembler.exceeds(window: 100))
    #expect(assembler.exceeds(window: 99))
  }
}
