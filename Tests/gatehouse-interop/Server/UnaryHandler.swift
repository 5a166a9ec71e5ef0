internal import RPC

/// One request, one answer, with the echoed metadata.
final class UnaryHandler: ServerHandler {
  enum Answer {
    case message([UInt8], isCompressed: Bool)
    case status(RPCStatus)
  }

  private let answer: ([UInt8], _ isCompressed: Bool) throws -> Answer
  private var request: [UInt8]?
  private var isCompressed = false

  init(_ answer: @escaping ([UInt8], _ isCompressed: Bool) throws -> Answer) {
    self.answer = answer
  }

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    call.credit(credit)
    guard request == nil else {
      return call.finish(RPCStatus(.unimplemented, "\(call.path) takes one request; more came"))
    }
    request = message
  }

  func receivedCompressed(on call: ServerCall) { isCompressed = true }

  func halfClosed(_ call: ServerCall) {
    guard let request else {
      return call.finish(RPCStatus(.unimplemented, "\(call.path) takes one request; none came"))
    }
    do {
      switch try answer(request, isCompressed) {
      case .status(let status): call.finishEchoing(status)
      case .message(let bytes, let isCompressed):
        if isCompressed { call.useGzip() }
        call.sendEchoedMetadata()
        call.send(bytes, isCompressed: isCompressed)
        call.finishEchoing(.ok)
      }
    } catch {
      call.finish(error as? RPCStatus ?? RPCStatus(.internalError))
    }
  }

  func ended(_ status: RPCStatus, _ call: ServerCall) {}
}
