internal import RPC

/// empty_unary, large_unary.
enum Unary {
  /// What large_unary sends and asks for, in bytes.
  static let (requestBytes, responseBytes) = (271_828, 314_159)

  static var largeRequest: SimpleRequest {
    var request = SimpleRequest()
    request.responseSize = Int32(responseBytes)
    request.payload = .zeros(requestBytes)
    return request
  }

  static func empty(_ connection: Connection) async throws {
    // By the way that the product's own calls go.
    let response = try await connection.unary("/grpc.testing.TestService/EmptyCall", Empty().bytes)
    try expect(Empty(response[...]), Empty(), "the response")
  }

  static func large(_ connection: Connection) async throws {
    let outcome = try await call("UnaryCall", largeRequest, on: connection)
    let response = try outcome.response(PayloadResponse.self)
    try expect(response.payload, .zeros(responseBytes), "the payload")
  }

  /// One request, to the call's end.
  static func call(
    _ method: String,
    of service: String = "grpc.testing.TestService",
    _ request: some InteropMessage,
    on connection: Connection,
    metadata: Metadata = Metadata()
  ) async throws -> InteropCall.Outcome {
    let call = try await InteropCall.open(method, of: service, on: connection, metadata: metadata)
    call.send(request)
    call.halfClose()
    return await call.outcome()
  }
}
