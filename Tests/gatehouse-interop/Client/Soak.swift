internal import RPC

/// rpc_soak, channel_soak: many large calls, on one connection or on one each.
enum Soak {
  private static let iterations = 20

  static func calls(_ connection: Connection) async throws {
    for _ in 0..<iterations { try await Unary.large(connection) }
  }

  static func channels(_ makeConnection: () async throws -> Connection) async throws {
    for _ in 0..<iterations {
      let connection = try await makeConnection()
      try await Unary.large(connection)
      await connection.closeClient()
    }
  }
}
