import EventLoop
import Synchronization
import TLS
import TestSupport
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(5))) struct `Calls over loopback` {
  @Test(arguments: [0, 1, 1_000, 65_536, 200_000, 1_048_576])
  func `a unary call is answered, whatever its size`(size: Int) async throws {
    let loopback = try await Loopback { $0.unary("/t.T/Echo") { request, _ in request } }
    let connection = try await loopback.connect()
    let message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    #expect(try await connection.unary("/t.T/Echo", message) == message)
    await loopback.close()
  }

  @Test func `messages of a stream come back in order, both ways at once`() async throws {
    let loopback = try await Loopback { $0.handle("/t.T/Stream") { _ in EchoHandler() } }
    let stream = try await loopback.connect().openStream("/t.T/Stream")
    for number in 0..<500 {
      try await stream.send(
        [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: number * 7)
      )
    }
    await stream.halfClose()
    for number in 0..<500 {
      let message = try await stream.next()
      #expect(message == [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: number * 7))
    }
    #expect(try await stream.next() == nil)
    await loopback.close()
  }

  @Test func `a reader that stops holds the server back, and delays nobody`() async throws {
    let counter = Counter()
    let loopback = try await Loopback {
      $0.unary("/t.T/Echo") { request, _ in request }
      $0.serverStreaming("/t.T/Flood") { _, call in
        for _ in 0..<1_000 {
          try await call.sendWhenRoom([UInt8](repeating: 7, count: 65_536))
          counter.add()
        }
      }
    }
    let connection = try await loopback.connect()
    let stream = try await connection.openStream("/t.T/Flood")
    try await stream.send([])
    await stream.halfClose()
    #expect(try await stream.next()?.count == 65_536)
    for _ in 0..<50 { #expect(try await connection.unary("/t.T/Echo", [1]) == [1]) }
    #expect(counter.value < 100)
    for _ in 1..<1_000 { #expect(try await stream.next()?.count == 65_536) }
    #expect(try await stream.next() == nil)
    await loopback.close()
  }

  @Test func `what the server sent before its end is read by a client that still sends`()
    async throws
  {
    let loopback = try await Loopback { $0.handle("/t.T/Few") { _ in FewHandler() } }
    let stream = try await loopback.connect().openStream("/t.T/Few")
    // A call that has ended says so to senders, while its messages wait.
    while try await stream.send([1]) {}
    for number in 0..<9 { #expect(try await stream.next() == [UInt8(number)]) }
    #expect(try await stream.next() == nil)
    await loopback.close()
  }

  @Test func `an unknown method is named`() async throws {
    let loopback = try await Loopback { _ in }
    let connection = try await loopback.connect()
    let error = await #expect(throws: RPCStatus.self) {
      try await connection.unary("/t.T/Nothing", [])
    }
    #expect(error?.code == .unimplemented)
    #expect(error?.message.contains("/t.T/Nothing") == true)
    await loopback.close()
  }

  @Test func `a status, its message and its trailers arrive`() async throws {
    let loopback = try await Loopback {
      $0.unary("/t.T/Fail") { _, _ in
        var status = RPCStatus(.resourceExhausted, "später, bitte: 100%\n")
        status.trailers.add("retry-after-ms", "250")
        status.trailers.add("detail-bin", bytes: [0, 255])
        throw status
      }
    }
    let connection = try await loopback.connect()
    let error = await #expect(throws: RPCStatus.self) {
      try await connection.unary("/t.T/Fail", [])
    }
    #expect(error?.code == .resourceExhausted)
    #expect(error?.message == "später, bitte: 100%\n")
    #expect(error?.trailers["retry-after-ms"] == "250")
    #expect(error?.trailers.bytes("detail-bin") == [0, 255])
    await loopback.close()
  }

  @Test func `a deadline ends the call at both ends`() async throws {
    let (ends, report) = AsyncStream<RPCStatus>.makeStream()
    let loopback = try await Loopback { $0.handle("/t.T/Hang") { _ in SilentHandler(report) } }
    let connection = try await loopback.connect()
    let error = await #expect(throws: RPCStatus.self) {
      try await connection.unary("/t.T/Hang", [], timeout: .milliseconds(50))
    }
    #expect(error?.code == .deadlineExceeded)
    var iterator = ends.makeAsyncIterator()
    let end = try #require(await iterator.next())
    #expect([.deadlineExceeded, .cancelled].contains(end.code))
    await loopback.close()
  }

  @Test func `a client's cancel reaches the server`() async throws {
    let (ends, report) = AsyncStream<RPCStatus>.makeStream()
    let loopback = try await Loopback { $0.handle("/t.T/Hang") { _ in SilentHandler(report) } }
    let stream = try await loopback.connect().openStream("/t.T/Hang")
    try await stream.send([])
    await stream.cancel()
    var iterator = ends.makeAsyncIterator()
    #expect(await iterator.next()?.code == .cancelled)
    await #expect(throws: RPCStatus.self) { try await stream.next() }
    await loopback.close()
  }

  @Test func `a message above the limit is refused by name`() async throws {
    let loopback = try await Loopback { $0.unary("/t.T/Echo") { request, _ in request } }
    let connection = try await loopback.connect()
    let large = [UInt8](repeating: 0, count: 1_048_577)
    let error = await #expect(throws: RPCStatus.self) {
      try await connection.unary("/t.T/Echo", large)
    }
    #expect(error?.code == .resourceExhausted)
    #expect(error?.message.contains("1048577") == true)
    #expect(try await connection.unary("/t.T/Echo", [1]) == [1])
    await loopback.close()
  }

  @Test func `calls end with the reason when the server goes away`() async throws {
    let (_, report) = AsyncStream<RPCStatus>.makeStream()
    let loopback = try await Loopback { $0.handle("/t.T/Hang") { _ in SilentHandler(report) } }
    let stream = try await loopback.connect().openStream("/t.T/Hang")
    try await stream.send([])
    await loopback.server.close(RPCStatus(.unavailable, "maintenance"))
    let error = await #expect(throws: RPCStatus.self) { try await stream.next() }
    #expect(error?.code == .unavailable)
    await loopback.close()
  }
}

/// Answers the first message with nine, and ends while the client still sends.
private final class FewHandler: ServerHandler {
  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    for number in 0..<9 { call.send([UInt8(number)]) }
    call.finish(.ok)
  }

  func halfClosed(_ call: ServerCall) {}

  func ended(_ status: RPCStatus, _ call: ServerCall) {}
}

/// Never answers; reports its end.
private final class SilentHandler: ServerHandler {
  private let report: AsyncStream<RPCStatus>.Continuation

  init(_ report: AsyncStream<RPCStatus>.Continuation) { self.report = report }

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) { call.credit(credit) }

  func halfClosed(_ call: ServerCall) {}

  func ended(_ status: RPCStatus, _ call: ServerCall) { report.yield(status) }
}

private final class Counter: Sendable {
  private let count = Atomic<Int>(0)

  func add() { count.add(1, ordering: .relaxed) }

  var value: Int { count.load(ordering: .relaxed) }
}
