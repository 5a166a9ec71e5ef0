internal import RPC

/// The service under load: gives messages back as they came, or a stream of bytes.
enum EchoService {
  /// Unary: the request's bytes.
  static let echo = "/gatehouse.bench.v1.Echo/Echo"

  static var service: Service {
    var service = Service()
    service.handle(echo) { _ in EchoHandler() }
    return service
  }
}

private final class EchoHandler: ServerHandler {
  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    call.send(message)
    call.credit(credit)
  }

  func halfClosed(_ call: ServerCall) { call.finish(.ok) }

  func ended(_ status: RPCStatus, _ call: ServerCall) {}
}
