internal import EventLoop
internal import RPC

/// `grpc.testing.TestService` as its description says.
enum TestService {
  static func service(on loop: EventLoop) -> Service {
    var service = Service()
    func handle(_ method: String, _ make: @escaping Service.MakeHandler) {
      service.handle("/grpc.testing.TestService/\(method)", make)
    }
    handle("EmptyCall") { _ in UnaryHandler { _, _ in .message([], isCompressed: false) } }
    handle("UnaryCall") { _ in UnaryHandler(unary) }
    handle("StreamingInputCall") { _ in InputHandler() }
    handle("StreamingOutputCall") { _ in OutputHandler(on: loop, mode: .oneRequest) }
    handle("FullDuplexCall") { _ in OutputHandler(on: loop, mode: .atOnce) }
    handle("HalfDuplexCall") { _ in OutputHandler(on: loop, mode: .afterTheLast) }
    return service
  }

  private static func unary(
    _ bytes: [UInt8],
    _ isCompressed: Bool
  ) throws -> UnaryHandler.Answer {
    let request = try read(SimpleRequest.self, bytes)
    try check(request.expectCompressed, isCompressed)
    if let status = request.responseStatus, status.code != 0 {
      return .status(rpcStatus(status))
    }
    let response = PayloadResponse(payload: try payload(request.responseSize))
    return .message(response.bytes, isCompressed: request.responseCompressed?.value ?? false)
  }

  static func read<Message: InteropMessage>(
    _ type: Message.Type,
    _ bytes: [UInt8]
  ) throws(RPCStatus) -> Message {
    guard let message = try? Message(bytes[...]) else {
      throw RPCStatus(.internalError, "the request is no \(type)")
    }
    return message
  }

  /// The compression cases probe with a request whose flag and content disagree.
  static func check(_ expected: BoolValue?, _ isCompressed: Bool) throws(RPCStatus) {
    guard let expected, expected.value != isCompressed else { return }
    throw RPCStatus(
      .invalidArgument,
      "the message came \(isCompressed ? "" : "un")compressed, and says otherwise"
    )
  }

  /// Zeros; no more than a message may have.
  static func payload(_ size: Int32) throws(RPCStatus) -> Payload {
    guard (0...maxBytes).contains(size) else {
      throw RPCStatus(.invalidArgument, "the size \(size) is not within 0 and \(maxBytes)")
    }
    return .zeros(Int(size))
  }

  static let maxBytes: Int32 = 4 * 1_048_576

  static func rpcStatus(_ status: EchoStatus) -> RPCStatus {
    RPCStatus(RPCStatus.Code(rawValue: Int(status.code)) ?? .unknown, status.message)
  }
}

extension ServerCall {
  private static let initialEcho = "x-grpc-test-echo-initial"
  private static let trailingEcho = "x-grpc-test-echo-trailing-bin"

  /// Sends the initial metadata, with what is to be echoed in it.
  func sendEchoedMetadata() {
    var echoed = Metadata()
    if let value = metadata[Self.initialEcho] { echoed.add(Self.initialEcho, value) }
    sendMetadata(echoed)
  }

  /// `finish`, with what is to be echoed in the trailers.
  func finishEchoing(_ status: RPCStatus) {
    var status = status
    for value in metadata.all(Self.trailingEcho) {
      status.trailers.add(Self.trailingEcho, bytes: value)
    }
    finish(status)
  }

  func send(_ message: [UInt8], isCompressed: Bool) {
    if isCompressed { sendCompressed(message) } else { send(message) }
  }
}
