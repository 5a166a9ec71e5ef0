internal import RPC

/// The service under load: gives messages back as they came, or a stream of bytes.
enum EchoService {
  /// Unary: the request's bytes.
  static let echo = "/gatehouse.bench.v1.Echo/Echo"

  /// As many bytes as the request says in decimal, in messages of 64 KiB.
  static let stream = "/gatehouse.bench.v1.Echo/Stream"

  static var service: Service {
    var service = Service()
    service.handle(echo) { _ in EchoHandler() }
    service.handle(stream) { _ in StreamHandler() }
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

private final class StreamHandler: ServerHandler {
  private var sent = 0
  private var count = 0

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    call.credit(credit)
    count = Int(String(decoding: message, as: UTF8.self)) ?? 0
  }

  func halfClosed(_ call: ServerCall) { drained(call) }

  func drained(_ call: ServerCall) {
    while sent < count, call.queuedBytes < 4 * BytePattern.chunkBytes {
      let size = min(BytePattern.chunkBytes, count - sent)
      call.send(Array(BytePattern.bytes(from: sent, count: size)))
      sent += size
    }
    if sent < count { call.notifyWhenDrained() } else { call.finish(.ok) }
  }

  func ended(_ status: RPCStatus, _ call: ServerCall) {}
}
