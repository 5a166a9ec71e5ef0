internal import EventLoop
internal import RPC

/// Asks an echo server with a client of ours, and compares each byte of each answer: h2load counts
/// bytes only.
struct EchoCheck {
  let path: String
  /// Bytes of each request.
  let sizes: [Int]

  /// Sizes around what frames, records and windows hold, then many of the size that is measured.
  init(path: String, messageBytes: Int) {
    self.path = path
    sizes =
      [0, 1, 16_383, 16_384, 65_530, 65_536, 300_000]
      + [Int](repeating: messageBytes, count: 2_000)
  }

  /// - Throws: naming the first answer that is not its request.
  func run(against server: HostPort, _ identities: Identities) async throws {
    let loop = try EventLoop(name: "check")
    defer { loop.stop() }
    let connection = try await connect(to: server, identities, on: loop)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, size) in sizes.enumerated() {
        if index >= Self.callsAtOnce { try await group.next() }
        group.addTask { try await check(index, size, on: connection) }
      }
      try await group.waitForAll()
    }
    await connection.closeClient()
  }

  private static let callsAtOnce = 50

  /// Servers of others do not say when they listen, so this tries for a while.
  private func connect(
    to server: HostPort,
    _ identities: Identities,
    on loop: EventLoop
  ) async throws -> Connection {
    let tls = try identities.clientContext()
    let deadline = ContinuousClock.now + .seconds(10)
    while true {
      do {
        return try await Connection.connect(to: server, tls: tls, on: loop)
      } catch {
        guard ContinuousClock.now < deadline else { throw error }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  private func check(_ index: Int, _ size: Int, on connection: Connection) async throws {
    // No two requests alike, so that an answer to another is noticed.
    let request = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index &* 7 &+ index >> 8) }
    let answer = try await connection.unary(path, request)
    guard answer == request else {
      throw BenchError("answer \(index) of \(answer.count) bytes is not its request of \(size)")
    }
  }
}
