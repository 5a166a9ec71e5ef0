internal import RPC

/// cancel_after_begin, cancel_after_first_response, timeout_on_sleeping_server.
enum Endings {
  static func cancelAfterBegin(_ connection: Connection) async throws {
    let call = try await InteropCall.open("StreamingInputCall", on: connection)
    call.cancel()
    try await call.outcome().expectCode(.cancelled)
  }

  static func cancelAfterFirstResponse(_ connection: Connection) async throws {
    let call = try await InteropCall.open("FullDuplexCall", on: connection)
    call.send(Streams.request(for: [31_415]))
    try expect(await call.nextMessage() == nil, false, "the call ended before its answer")
    call.cancel()
    try await call.outcome().expectCode(.cancelled)
  }

  static func timeout(_ connection: Connection) async throws {
    let call = try await InteropCall.open(
      "FullDuplexCall",
      on: connection,
      timeout: .milliseconds(1)
    )
    var request = StreamingOutputCallRequest()
    request.payload = .zeros(27_182)
    call.send(request)
    try await call.outcome().expectCode(.deadlineExceeded)
  }
}
