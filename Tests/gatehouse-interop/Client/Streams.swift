internal import RPC

/// client_streaming, server_streaming, ping_pong, empty_stream.
enum Streams {
  static let requestSizes = [27_182, 8, 1_828, 45_904]
  static let responseSizes = [31_415, 9, 2_653, 58_979]

  static func client(_ connection: Connection) async throws {
    let call = try await InteropCall.open("StreamingInputCall", on: connection)
    for size in requestSizes { call.send(StreamingInputCallRequest(payload: .zeros(size))) }
    call.halfClose()
    let response = try await call.outcome().response(StreamingInputCallResponse.self)
    try expect(response.aggregatedPayloadSize, 74_922, "the sum")
  }

  static func server(_ connection: Connection) async throws {
    let call = try await InteropCall.open("StreamingOutputCall", on: connection)
    call.send(request(for: responseSizes))
    call.halfClose()
    let outcome = await call.outcome()
    try outcome.expectCode(.ok)
    try expect(outcome.sizes(), responseSizes, "the sizes")
  }

  static func pingPong(_ connection: Connection) async throws {
    let call = try await InteropCall.open("FullDuplexCall", on: connection)
    for (sent, wanted) in zip(requestSizes, responseSizes) {
      var request = request(for: [wanted])
      request.payload = .zeros(sent)
      call.send(request)
      guard let message = await call.nextMessage() else {
        throw InteropCase.Failure(description: "no answer of \(wanted) bytes before the end")
      }
      try expect(PayloadResponse(message[...]).payload, .zeros(wanted), "the payload")
    }
    call.halfClose()
    let outcome = await call.outcome()
    try outcome.expectCode(.ok)
    try expect(outcome.messages.count, 0, "further responses")
  }

  static func empty(_ connection: Connection) async throws {
    let call = try await InteropCall.open("FullDuplexCall", on: connection)
    call.halfClose()
    let outcome = await call.outcome()
    try outcome.expectCode(.ok)
    try expect(outcome.messages.count, 0, "responses")
  }

  static func request(for sizes: [Int]) -> StreamingOutputCallRequest {
    var request = StreamingOutputCallRequest()
    request.responseParameters = sizes.map { ResponseParameters(size: Int32($0)) }
    return request
  }
}
