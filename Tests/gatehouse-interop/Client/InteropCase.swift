internal import RPC

/// The cases by their usual names.
enum InteropCase: String, CaseIterable, Sendable {
  case emptyUnary = "empty_unary"
  case largeUnary = "large_unary"
  case clientStreaming = "client_streaming"
  case serverStreaming = "server_streaming"
  case pingPong = "ping_pong"
  case emptyStream = "empty_stream"
  case clientCompressedUnary = "client_compressed_unary"
  case serverCompressedUnary = "server_compressed_unary"
  case clientCompressedStreaming = "client_compressed_streaming"
  case serverCompressedStreaming = "server_compressed_streaming"
  case customMetadata = "custom_metadata"
  case statusCodeAndMessage = "status_code_and_message"
  case specialStatusMessage = "special_status_message"
  case unimplementedMethod = "unimplemented_method"
  case unimplementedService = "unimplemented_service"
  case cancelAfterBegin = "cancel_after_begin"
  case cancelAfterFirstResponse = "cancel_after_first_response"
  case timeoutOnSleepingServer = "timeout_on_sleeping_server"
  case rpcSoak = "rpc_soak"
  case channelSoak = "channel_soak"

  /// Which of the server's answers was not as it must be.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Without `probes` the compression cases do not ask whether the server looks at the flag.
  ///
  /// - Throws: `Failure`; an `RPCStatus` when there is no connection.
  func run(
    _ makeConnection: @Sendable () async throws -> Connection,
    probes: Bool
  ) async throws {
    if self == .channelSoak { return try await Soak.channels(makeConnection) }
    let connection = try await makeConnection()
    do {
      try await run(on: connection, probes: probes)
    } catch {
      await connection.closeClient()
      throw error
    }
    await connection.closeClient()
  }

  private func run(on connection: Connection, probes: Bool) async throws {
    switch self {
    case .emptyUnary: try await Unary.empty(connection)
    case .largeUnary: try await Unary.large(connection)
    case .clientStreaming: try await Streams.client(connection)
    case .serverStreaming: try await Streams.server(connection)
    case .pingPong: try await Streams.pingPong(connection)
    case .emptyStream: try await Streams.empty(connection)
    case .clientCompressedUnary: try await Compressed.clientUnary(connection, probes)
    case .serverCompressedUnary: try await Compressed.serverUnary(connection)
    case .clientCompressedStreaming: try await Compressed.clientStream(connection, probes)
    case .serverCompressedStreaming: try await Compressed.serverStream(connection)
    case .customMetadata: try await Statuses.customMetadata(connection)
    case .statusCodeAndMessage: try await Statuses.codeAndMessage(connection)
    case .specialStatusMessage: try await Statuses.specialMessage(connection)
    case .unimplementedMethod: try await Statuses.unimplementedMethod(connection)
    case .unimplementedService: try await Statuses.unimplementedService(connection)
    case .cancelAfterBegin: try await Endings.cancelAfterBegin(connection)
    case .cancelAfterFirstResponse: try await Endings.cancelAfterFirstResponse(connection)
    case .timeoutOnSleepingServer: try await Endings.timeout(connection)
    case .rpcSoak: try await Soak.calls(connection)
    case .channelSoak: break  // has connections of its own
    }
  }
}

/// - Throws: `InteropCase.Failure` unless both are the same.
func expect<Value: Equatable>(_ found: Value, _ expected: Value, _ what: String) throws {
  guard found != expected else { return }
  throw InteropCase.Failure(description: "\(what): \(found) instead of \(expected)")
}

extension InteropCall.Outcome {
  /// The one response of a call that ended well.
  func response<Message: InteropMessage>(_ type: Message.Type = Message.self) throws -> Message {
    try expectCode(.ok)
    try expect(messages.count, 1, "responses")
    return try Message(messages[0][...])
  }

  func expectCode(_ code: RPCStatus.Code) throws {
    guard status.code != code else { return }
    throw InteropCase.Failure(description: "the call ended with \(status), not \(code.name)")
  }

  /// The sizes of all payloads.
  func sizes() throws -> [Int] {
    try messages.map { try PayloadResponse($0[...]).payload.body.count }
  }
}
