internal import RPC

/// `StreamingInputCall`: the sum of the body sizes.
final class InputHandler: ServerHandler {
  private var total = 0
  private var isCompressed = false

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    call.credit(credit)
    defer { isCompressed = false }
    do throws(RPCStatus) {
      let request = try TestService.read(StreamingInputCallRequest.self, message)
      try TestService.check(request.expectCompressed, isCompressed)
      total += request.payload.body.count
    } catch {
      call.finish(error)
    }
  }

  func receivedCompressed(on call: ServerCall) { isCompressed = true }

  func halfClosed(_ call: ServerCall) {
    let sum = Int32(clamping: total)
    call.send(StreamingInputCallResponse(aggregatedPayloadSize: sum).bytes)
    call.finish(.ok)
  }

  func ended(_ status: RPCStatus, _ call: ServerCall) {}
}
