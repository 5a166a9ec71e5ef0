import EventLoop
import Glibc
import Testing

@testable import RPC

/// A server that answers an upload without reading it, and closes: TCP then resets the connection, behind
/// what the server said.
@Suite(.timeLimit(.minutes(5))) struct `An early answer` {
  @Test(arguments: 0..<10)
  func `is the call's status, though writing fails`(round: Int) async throws {
    let listener = try Socket.listening(on: SocketAddress.resolve("127.0.0.1", port: 0)[0])
    let address = listener.localAddress
    let port = try #require(address).port
    let loop = try EventLoop(name: "test client")
    let connection = try await Connection.connect(
      to: HostPort(host: "127.0.0.1", port: port),
      tls: nil,
      on: loop
    )
    let stream = try await connection.openStream("/t.T/Upload")
    // More than the sockets hold.
    let upload = Task { try await stream.send([UInt8](repeating: 7, count: 24 << 20)) }
    try await Self.answer(on: listener)
    let error = await #expect(throws: RPCStatus.self) { try await stream.next() }
    #expect(error?.code == .resourceExhausted)
    _ = try await upload.value
    loop.stop()
  }

  /// Closes at the end, with what it has not read.
  private static func answer(on listener: borrowing Socket) async throws {
    guard let peer = try listener.accept() else { throw Missing() }
    _ = try peer.write(windows.span)
    while unread(of: peer) < 32 << 10 {
      try Task.checkCancellation()
      await Task.yield()
    }
    _ = try peer.write(answer.span)
  }

  private struct Missing: Error {}

  /// SETTINGS with INITIAL_WINDOW_SIZE 2^31 − 1, and almost that for the connection.
  private static let windows: [UInt8] =
    [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]
    + [0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0xff, 0, 0]

  /// HEADERS of stream 1 with its end: `:status: 200`, and two fields without a place in the table.
  private static let answer: [UInt8] = {
    var block: [UInt8] = [0x88]
    for (name, value) in [("content-type", "application/grpc"), ("grpc-status", "8")] {
      block += [0, UInt8(name.utf8.count)] + name.utf8 + [UInt8(value.utf8.count)] + value.utf8
    }
    return [0, 0, UInt8(block.count), 1, 5, 0, 0, 0, 1] + block
  }()

  private static func unread(of socket: borrowing Socket) -> Int {
    var count: Int32 = 0
    return unsafe ioctl(socket.number, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
  }
}
