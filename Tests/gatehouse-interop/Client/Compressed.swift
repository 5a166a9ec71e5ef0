internal import RPC

/// The four compression cases. Those of the client begin with a probe whose flag and content
/// disagree, to see that the server looks.
enum Compressed {
  static func clientUnary(_ connection: Connection, _ probes: Bool) async throws {
    var request = Unary.largeRequest
    if probes {
      request.expectCompressed = true
      let probe = try await send(request, isCompressed: false, on: connection)
      try probe.expectCode(.invalidArgument)
    }
    for isCompressed in [true, false] {
      request.expectCompressed = BoolValue(value: isCompressed)
      let outcome = try await send(request, isCompressed: isCompressed, on: connection)
      let response = try outcome.response(PayloadResponse.self)
      try expect(response.payload, .zeros(Unary.responseBytes), "the payload")
    }
  }

  private static func send(
    _ request: SimpleRequest,
    isCompressed: Bool,
    on connection: Connection
  ) async throws -> InteropCall.Outcome {
    let call = try await InteropCall.open("UnaryCall", on: connection, gzip: true)
    call.send(request, isCompressed: isCompressed)
    call.halfClose()
    return await call.outcome()
  }

  static func serverUnary(_ connection: Connection) async throws {
    for isCompressed in [true, false] {
      var request = Unary.largeRequest
      request.responseCompressed = BoolValue(value: isCompressed)
      let outcome = try await Unary.call("UnaryCall", request, on: connection)
      let response = try outcome.response(PayloadResponse.self)
      try expect(response.payload, .zeros(Unary.responseBytes), "the payload")
      try expect(outcome.compressed, [isCompressed], "compressed")
    }
  }

  static func clientStream(_ connection: Connection, _ probes: Bool) async throws {
    if probes {
      let probe = try await InteropCall.open("StreamingInputCall", on: connection, gzip: true)
      probe.send(StreamingInputCallRequest(payload: .zeros(27_182), expectCompressed: true))
      probe.halfClose()
      try await probe.outcome().expectCode(.invalidArgument)
    }

    let call = try await InteropCall.open("StreamingInputCall", on: connection, gzip: true)
    call.send(
      StreamingInputCallRequest(payload: .zeros(27_182), expectCompressed: true),
      isCompressed: true
    )
    call.send(StreamingInputCallRequest(payload: .zeros(45_904), expectCompressed: false))
    call.halfClose()
    let response = try await call.outcome().response(StreamingInputCallResponse.self)
    try expect(response.aggregatedPayloadSize, 73_086, "the sum")
  }

  static func serverStream(_ connection: Connection) async throws {
    var request = StreamingOutputCallRequest()
    request.responseParameters = [
      ResponseParameters(size: 31_415, compressed: true),
      ResponseParameters(size: 92_653, compressed: false),
    ]
    let outcome = try await Unary.call("StreamingOutputCall", request, on: connection)
    try outcome.expectCode(.ok)
    try expect(outcome.sizes(), [31_415, 92_653], "the sizes")
    try expect(outcome.compressed, [true, false], "compressed")
  }
}
