internal import EventLoop
internal import RPC

/// Asks an echo server with a client of ours, and compares each byte of each answer: h2load counts
/// bytes only.
enum EchoCheck {
  /// Unary calls: sizes around what frames, records and windows hold, then many of the size that is
  /// measured. Throws, naming the first answer that is not its request.
  static func run(
    against server: HostPort,
    _ identities: Identities,
    messageBytes: Int
  ) async throws {
    let sizes =
      [0, 1, 16_383, 16_384, 65_530, 65_536, 300_000]
      + [Int](repeating: messageBytes, count: 2_000)
    try await CheckedConnection.with(server, identities) { connection in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (index, size) in sizes.enumerated() {
          if index >= callsAtOnce { try await group.next() }
          group.addTask { try await check(index, size, on: connection) }
        }
        try await group.waitForAll()
      }
    }
  }

  private static let callsAtOnce = 50

  private static func check(_ index: Int, _ size: Int, on connection: Connection) async throws {
    // No two requests alike, so that an answer to another is noticed.
    let request = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index &* 7 &+ index >> 8) }
    let answer = try await connection.unary(EchoService.echo, request)
    guard answer == request else {
      throw BenchError("answer \(index) of \(answer.count) bytes is not its request")
    }
  }

  /// A streamed answer.
  static func runStream(
    of bytes: Int,
    against server: HostPort,
    _ identities: Identities
  ) async throws {
    try await CheckedConnection.with(server, identities) { connection in
      let call = try await connection.openStream(EchoService.stream)
      try await call.send(Array("\(bytes)".utf8))
      await call.halfClose()
      var position = 0
      while let message = try await call.next() {
        guard BytePattern.matches(message, from: position) else {
          throw BenchError("the stream differs after byte \(position)")
        }
        position += message.count
      }
      guard position == bytes else { throw BenchError("\(position) bytes came, not \(bytes)") }
    }
  }
}
