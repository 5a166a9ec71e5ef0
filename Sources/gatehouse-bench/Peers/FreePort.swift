internal import EventLoop

/// Ports for programs that cannot choose one and say which.
enum FreePort {
  /// A loopback port that was free just now.
  static func find() throws -> UInt16 {
    let socket = try Socket.listening(on: SocketAddress.resolve("127.0.0.1", port: 0)[0])
    guard let port = socket.localAddress?.port else {
      throw BenchError("no free port on the loopback interface")
    }
    return port
  }
}
