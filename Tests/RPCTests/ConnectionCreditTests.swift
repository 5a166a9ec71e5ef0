import EventLoop
import TestSupport
import Testing

@testable import RPC

/// Bytes that nobody wanted count against the connection's window until they are credited: a path
/// that forgets some of them ends in a connection that stands still.
@Suite(.timeLimit(.minutes(10))) struct `Connection credit` {
  private static let window = 16 * 1_048_576

  @Test(arguments: [1, 2]) func `is whole after calls that end at any byte`(seed: UInt64)
    async throws
  {
    var limits = ConnectionLimits()
    // This client is meant to be as bad as it is.
    (limits.resetBurst, limits.workBurst) = (1_000_000, 10_000_000)
    let loopback = try await Loopback(limits: limits, isPlaintext: true, Self.build)
    let address = loopback.server.address
    let count = Soak.count(3_000, 50_000)
    let thread = WorkerPool(name: "raw client", threads: 1)
    let left = try await thread.run {
      let client = try RawClient(to: address)
      #expect(client.window == Self.window)
      var random = Seeded(seed)
      for number in 1...count {
        try Self.call(client, &random)
        if number.isMultiple(of: 20) { try client.roundTrip() }
      }
      return try Self.wholeWindow(of: client)
    }
    #expect(left == Self.window)
    while await loopback.server.streamCount > 0 { try Task.checkCancellation() }
    thread.close()
    await loopback.close()
  }

  /// What a call can do with its bytes: take them, hold them, end before they come.
  private static func build(_ service: inout Service) {
    service.handle("/t.T/Take") { _ in Swallower(credits: true) }
    service.handle("/t.T/Hold") { _ in Swallower(credits: false) }
    service.handle("/t.T/End") { _ in Ender() }
    service.unary("/t.T/Unary") { _, _ in [1] }
    service.unary("/t.T/Fail") { _, _ in throw RPCStatus(.dataLoss, "as asked") }
    service.handle("/t.T/Refuse") { _ in throw RPCStatus(.permissionDenied, "no") }
  }

  private static let paths = ["Take", "Hold", "End", "Unary", "Fail", "Refuse", "Unknown"]

  /// One call of messages, cut anywhere: by a reset, or by the end of its stream and then a reset. Some
  /// go on when the server has answered, and maybe reset the stream.
  private static func call(_ client: RawClient, _ random: inout Seeded) throws {
    let path = "/t.T/" + (paths.randomElement(using: &random) ?? "")
    let stream = client.open(path, isGRPC: Int.random(in: 0..<20, using: &random) > 0)
    let bytes = messages(&random)
    var rest = bytes.prefix(Int.random(in: 0...bytes.count, using: &random))
    while !rest.isEmpty {
      let part = rest.prefix(Int.random(in: 1...16_000, using: &random))
      rest = rest.dropFirst(part.count)
      let padding = Bool.random(using: &random) ? UInt8.random(in: 0...255, using: &random) : nil
      client.data(part, on: stream, padding: padding)
      if Int.random(in: 0..<10, using: &random) == 0 { try client.roundTrip() }
    }
    switch Int.random(in: 0..<4, using: &random) {
    case 0: client.data([], on: stream, ends: true)
    case 1: client.data(bytes.prefix(3), on: stream, padding: 9, ends: true)
    default: break
    }
    client.reset(stream)
  }

  /// Messages of up to 20 KiB together; some begin with a prefix that no message may have.
  private static func messages(_ random: inout Seeded) -> ArraySlice<UInt8> {
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let size = Int.random(in: 0...5_000, using: &random)
      MessageAssembler.appendPrefix(length: size, to: &bytes)
      bytes += [UInt8](repeating: 7, count: size)
    }
    switch Int.random(in: 0..<10, using: &random) {
    case 0: bytes[0] = 1
    case 1: bytes[1] = 0xff
    default: break
    }
    return bytes[...]
  }

  /// Sends in steps until the server gives credit, with nothing else under way: then the window is what
  /// it was at the beginning, or what was forgotten is missing.
  private static func wholeWindow(of client: RawClient) throws -> Int {
    try client.roundTrip()
    let before = client.windowUpdates
    let message: [UInt8] = [0, 0, 0, 0x3f, 0xfb] + [UInt8](repeating: 1, count: 0x3ffb)
    let stream = client.open("/t.T/Take")
    for _ in 0..<(window / message.count) where client.windowUpdates == before {
      client.data(message[...], on: stream)
      try client.roundTrip()
    }
    #expect(client.windowUpdates == before + 1)
    #expect(client.goAway == nil)
    client.reset(stream)
    try client.roundTrip()
    return client.window
  }
}

/// Takes messages as they come, or never.
private final class Swallower: ServerHandler {
  private let credits: Bool

  init(credits: Bool) { self.credits = credits }

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    if credits { call.credit(credit) }
  }

  func halfClosed(_ call: ServerCall) { call.finish(.ok) }

  func ended(_ status: RPCStatus, _ call: ServerCall) {}
}

/// Ends its call with the first message.
private final class Ender: ServerHandler {
  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    call.finish(RPCStatus(.failedPrecondition, "enough"))
  }

  func halfClosed(_ call: ServerCall) { call.finish(.ok) }

  func ended(_ status: RPCStatus, _ call: ServerCall) {}
}
