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

  @Test func `a reader that is cancelled hears that it was`() async throws {
    let loopback = try await Loopback { $0.unary("/t.T/Echo") { request, _ in request } }
    // Without a request there is no answer.
    let stream = try await loopback.connect().openStream("/t.T/Echo")
    let reader = Task { try await stream.next() }
    reader.cancel()
    await #expect(throws: CancellationError.self) { try await reader.value }
    await loopback.close()
  }

  @Test func `a task that prefers the loop sees the connection open`() async throws {
    let loopback = try await Loopback { $0.unary("/t.T/Echo") { request, _ in request } }
    let loop = try EventLoop(name: "client")
    let address = HostPort(host: "127.0.0.1", port: loopback.server.address.port)
    let tls = try loopback.pki.clientContext()
    for _ in 0..<20 {
      let answer = try await Task(executorPreference: loop) {
        let connection = try await Connection.connect(to: address, tls: tls, on: loop)
        let answer = try await connection.unary("/t.T/Echo", [1])
        await connection.closeClient()
        return answer
      }.value
      #expect(answer == [1])
    }
    loop.stop()
    await loopback.close()
  }

  /// Nobody takes the connection, so its handshake would be waited for in vain.
  @Test func `a task that is cancelled waits for no handshake`() async throws {
    let any = try #require(try SocketAddress.resolve("127.0.0.1", port: 0).first)
    let listener = try Socket.listening(on: any)
    let bound = listener.localAddress
    let port = try #require(bound).port
    let loop = try EventLoop(name: "client")
    let task = Task {
      _ = try await Connection.connect(
        to: HostPort(host: "127.0.0.1", port: port),
        tls: nil,
        on: loop
      )
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    loop.stop()
    _ = listener.localAddress
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
    let (events, report) = AsyncStream<SilentHandler.Event>.makeStream()
    let loopback = try await Loopback { $0.handle("/t.T/Hang") { _ in SilentHandler(report) } }
    let connection = try await loopback.connect()
    var iterator = events.makeAsyncIterator()
    // A call whose time is over before the server has it ends at the client alone, so that the
    // server says nothing of it: such a one is followed by one with more time.
    var timeout = Duration.milliseconds(50)
    repeat {
      let error = await #expect(throws: RPCStatus.self) {
        try await connection.unary("/t.T/Hang", [], timeout: timeout)
      }
      #expect(error?.code == .deadlineExceeded)
      timeout *= 2
      // Answered behind the call's reset, on the same connection.
      await #expect(throws: RPCStatus.self) { try await connection.unary("/t.T/Nothing", []) }
      report.yield(.probed)
    } while await iterator.next() == .probed
    // `received` was first; the end follows.
    let end = await iterator.next()
    #expect([.ended(.deadlineExceeded), .ended(.cancelled)].contains(end))
    await loopback.close()
  }

  @Test func `a client's cancel reaches the server`() async throws {
    let (events, report) = AsyncStream<SilentHandler.Event>.makeStream()
    let loopback = try await Loopback { $0.handle("/t.T/Hang") { _ in SilentHandler(report) } }
    let stream = try await loopback.connect().openStream("/t.T/Hang")
    try await stream.send([])
    var iterator = events.makeAsyncIterator()
    // A cancel that overtakes the call's headers has nothing to reach.
    #expect(await iterator.next() == .received)
    await stream.cancel()
    #expect(await iterator.next() == .ended(.cancelled))
    await #expect(throws: RPCStatus.self) { try await stream.next() }
    await loopback.close()
  }

  @Test func `a call cancelled before its headers leave is over, and holds nothing`() async throws {
    let (events, report) = AsyncStream<SilentHandler.Event>.makeStream()
    let loopback = try await Loopback {
      $0.handle("/t.T/Hang") { _ in SilentHandler(report) }
      $0.unary("/t.T/Echo") { request, _ in request }
    }
    let connection = try await loopback.connect()
    let (ends, end) = AsyncStream<RPCStatus>.makeStream()
    try await connection.openAndCancel("/t.T/Hang") { EndReporter(end) }
    #expect(await ends.first { _ in true }?.code == .cancelled)
    // What the server has of it would have come before this is answered.
    #expect(try await connection.unary("/t.T/Echo", [1]) == [1])
    #expect(await connection.openStreams == 0)
    report.finish()
    #expect(await events.first { _ in true } == nil)
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
    let loopback = try await Loopback { $0.handle("/t.T/Stream") { _ in EchoHandler() } }
    let stream = try await loopback.connect().openStream("/t.T/Stream")
    try await stream.send([1])
    #expect(try await stream.next() == [1])
    await loopback.server.close(RPCStatus(.unavailable, "maintenance"))
    let error = await #expect(throws: RPCStatus.self) { try await stream.next() }
    #expect(error?.description == "UNAVAILABLE: maintenance")
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
  enum Event: Equatable {
    case received
    case ended(RPCStatus.Code)
    /// The test's own.
    case probed
  }

  private let report: AsyncStream<Event>.Continuation

  init(_ report: AsyncStream<Event>.Continuation) { self.report = report }

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    call.credit(credit)
    report.yield(.received)
  }

  func halfClosed(_ call: ServerCall) {}

  func ended(_ status: RPCStatus, _ call: ServerCall) { report.yield(.ended(status.code)) }
}

private final class Counter: Sendable {
  private let count = Atomic<Int>(0)

  func add() { count.add(1, ordering: .relaxed) }

  var value: Int { count.load(ordering: .relaxed) }
}

private final class EndReporter: ClientHandler {
  private let report: AsyncStream<RPCStatus>.Continuation

  init(_ report: AsyncStream<RPCStatus>.Continuation) { self.report = report }

  func received(_ message: [UInt8], credit: Int, on call: ClientCall) {}

  func ended(_ status: RPCStatus, _ call: ClientCall) { report.yield(status) }
}

extension Connection {
  fileprivate var openStreams: Int { table.count }

  /// Both in one turn of the loop: nothing of the call has left.
  fileprivate func openAndCancel(
    _ path: String,
    _ make: @Sendable () -> any ClientHandler
  ) throws {
    let call = try open(path, make)
    send([], on: call.id)
    cancel(call.id)
  }
}
