internal import RPC

/// custom_metadata, the two of statuses, the two of what is not implemented.
enum Statuses {
  private static let initialKey = "x-grpc-test-echo-initial"
  private static let initialValue = "test_initial_metadata_value"
  private static let trailingKey = "x-grpc-test-echo-trailing-bin"
  private static let trailingValue: [UInt8] = [0xab, 0xab, 0xab]

  static func customMetadata(_ connection: Connection) async throws {
    var metadata = Metadata()
    metadata.add(initialKey, initialValue)
    metadata.add(trailingKey, bytes: trailingValue)
    let unary = try await Unary.call(
      "UnaryCall",
      Unary.largeRequest,
      on: connection,
      metadata: metadata
    )
    _ = try unary.response(PayloadResponse.self)
    try checkEcho(unary)

    let call = try await InteropCall.open("FullDuplexCall", on: connection, metadata: metadata)
    call.send(Streams.request(for: [Unary.responseBytes]))
    call.halfClose()
    let stream = await call.outcome()
    try stream.expectCode(.ok)
    try checkEcho(stream)
  }

  private static func checkEcho(_ outcome: InteropCall.Outcome) throws {
    try expect(outcome.metadata[initialKey], initialValue, "the initial metadata")
    try expect(outcome.status.trailers.bytes(trailingKey), trailingValue, "the trailing metadata")
  }

  static func codeAndMessage(_ connection: Connection) async throws {
    try await echo(EchoStatus(code: 2, message: "test status message"), connection)
    var request = StreamingOutputCallRequest()
    request.responseStatus = EchoStatus(code: 2, message: "test status message")
    let call = try await InteropCall.open("FullDuplexCall", on: connection)
    call.send(request)
    call.halfClose()
    let outcome = await call.outcome()
    try outcome.expectCode(.unknown)
    try expect(outcome.status.message, "test status message", "the message")
  }

  static func specialMessage(_ connection: Connection) async throws {
    let message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
    try await echo(EchoStatus(code: 2, message: message), connection)
  }

  private static func echo(_ status: EchoStatus, _ connection: Connection) async throws {
    var request = SimpleRequest()
    request.responseStatus = status
    let outcome = try await Unary.call("UnaryCall", request, on: connection)
    try outcome.expectCode(.unknown)
    try expect(outcome.status.message, status.message, "the message")
  }

  static func unimplementedMethod(_ connection: Connection) async throws {
    let outcome = try await Unary.call("UnimplementedCall", Empty(), on: connection)
    try outcome.expectCode(.unimplemented)
  }

  static func unimplementedService(_ connection: Connection) async throws {
    let outcome = try await Unary.call(
      "UnimplementedCall",
      of: "grpc.testing.UnimplementedService",
      Empty(),
      on: connection
    )
    try outcome.expectCode(.unimplemented)
  }
}
