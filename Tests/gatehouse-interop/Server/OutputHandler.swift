internal import EventLoop
internal import RPC

/// The three methods that answer with a stream: one response for each `ResponseParameters`, in
/// order, each after its interval.
// Why @unchecked: the loop that calls it is also the one that runs its timers.
final class OutputHandler: ServerHandler, @unchecked Sendable {
  enum Mode { case oneRequest, atOnce, afterTheLast }

  private enum Step {
    case wait(Duration)
    case response(ResponseParameters)
    case status(RPCStatus)

    var isCompressed: Bool {
      if case .response(let parameters) = self {
        parameters.compressed?.value ?? false
      } else {
        false
      }
    }
  }

  private let loop: EventLoop
  private let mode: Mode
  private var steps: [Step] = []
  private var next = 0
  private var requests = 0
  private var inputEnded = false
  private var isWaiting = false
  private var timer: LoopTimer?
  private var sentMetadata = false

  init(on loop: EventLoop, mode: Mode) {
    self.loop = loop
    self.mode = mode
  }

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    call.credit(credit)
    requests += 1
    do throws(RPCStatus) {
      guard mode != .oneRequest || requests == 1 else {
        throw RPCStatus(.unimplemented, "\(call.path) takes one request; more came")
      }
      plan(try TestService.read(StreamingOutputCallRequest.self, message))
      if mode == .atOnce { go(call) }
    } catch {
      call.finish(error)
    }
  }

  private func plan(_ request: StreamingOutputCallRequest) {
    if let status = request.responseStatus, status.code != 0 {
      return steps.append(.status(TestService.rpcStatus(status)))
    }
    for parameters in request.responseParameters {
      if parameters.intervalMicroseconds > 0 {
        steps.append(.wait(.microseconds(Int64(parameters.intervalMicroseconds))))
      }
      steps.append(.response(parameters))
    }
  }

  func halfClosed(_ call: ServerCall) {
    inputEnded = true
    guard mode != .oneRequest || requests == 1 else {
      return call.finish(RPCStatus(.unimplemented, "\(call.path) takes one request; none came"))
    }
    go(call)
  }

  func drained(_ call: ServerCall) {
    isWaiting = false
    go(call)
  }

  func ended(_ status: RPCStatus, _ call: ServerCall) {
    isWaiting = true
    if let timer { loop.cancel(timer) }
  }

  /// Goes on until there is nothing to do, or something to wait for.
  private func go(_ call: ServerCall) {
    while !isWaiting, next < steps.count {
      let step = steps[next]
      next += 1
      switch step {
      case .wait(let delay): wait(delay, call)
      case .response(let parameters): respond(parameters, call)
      case .status(let status): return call.finishEchoing(status)
      }
    }
    guard !isWaiting, inputEnded else { return }
    sendMetadata(call)
    call.finishEchoing(.ok)
  }

  private func wait(_ delay: Duration, _ call: ServerCall) {
    isWaiting = true
    timer = loop.schedule(after: delay) { [weak self] in
      guard let self else { return }
      timer = nil
      isWaiting = false
      go(call)
    }
  }

  private func respond(_ parameters: ResponseParameters, _ call: ServerCall) {
    do throws(RPCStatus) {
      let response = PayloadResponse(payload: try TestService.payload(parameters.size))
      sendMetadata(call)
      call.send(response.bytes, isCompressed: parameters.compressed?.value ?? false)
    } catch {
      isWaiting = true
      return call.finish(error)
    }
    // A slow reader does not make us hold all of it.
    guard call.queuedBytes > 256 * 1_024 else { return }
    isWaiting = true
    call.notifyWhenDrained()
  }

  private func sendMetadata(_ call: ServerCall) {
    guard !sentMetadata else { return }
    sentMetadata = true
    if steps.contains(where: \.isCompressed) { call.useGzip() }
    call.sendEchoedMetadata()
  }
}
