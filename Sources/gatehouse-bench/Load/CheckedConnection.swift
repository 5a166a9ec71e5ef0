internal import EventLoop
internal import RPC

/// A connection of our own client, for checks of what h2load cannot see.
enum CheckedConnection {
  /// Servers of others do not say when they listen, so this tries for a while.
  static func open(
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

  /// Lends a connection on a loop of its own.
  static func with<Result: Sendable>(
    _ server: HostPort,
    _ identities: Identities,
    _ body: (Connection) async throws -> Result
  ) async throws -> Result {
    let loop = try EventLoop(name: "check")
    defer { loop.stop() }
    let connection = try await open(to: server, identities, on: loop)
    let result = try await body(connection)
    await connection.closeClient()
    return result
  }
}
