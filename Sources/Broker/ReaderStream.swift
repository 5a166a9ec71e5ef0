internal import Calls
internal import RPC
internal import Wire

/// A client's place in a call's output, on one stream of responses.
///
/// Chunks are forwarded as the daemon framed them; what else there is has the same field numbers in
/// `InvokeResponse` and `FollowResponse`, so one encoding serves both.
struct ReaderStream {
  private(set) var cursor: CallLog.Cursor
  private let call: ServerCall
  private var toldState: Gatehouse_Tools_V1_CallState?

  /// Responses wait in the log while this much waits to be sent, in bytes.
  private static let highMark = 256 * 1024
  /// Below this, what was sent counts as taken: it is in the socket's buffer, or about to be.
  private static let lowMark = 64 * 1024

  init(_ call: ServerCall, from positions: Positions) {
    self.call = call
    cursor = CallLog.Cursor(from: positions)
  }

  enum Progress { case caughtUp, full }

  /// Sends what is new, as far as there is room; `full` asks for `drained`.
  mutating func pump(_ order: Call) -> Progress {
    tellState(of: order)
    while call.queuedBytes < Self.highMark {
      guard let item = order.log.read(&cursor) else { return .caughtUp }
      switch item {
      case .message(let message, _): call.send(message)
      case .gap(let gap):
        var response = Gatehouse_Tools_V1_FollowResponse()
        response.gap = gap.wire
        call.send(response.encoded)
      }
    }
    call.notifyWhenDrained()
    return .full
  }

  /// What was sent is out of our hands.
  var isDrained: Bool { call.queuedBytes <= Self.lowMark }

  /// Says when the call waits, is cut, and goes on; nothing of one that simply runs.
  private mutating func tellState(of order: Call) {
    // It has its turn: only its record is waited for, which is no news.
    guard !order.isAwaitingRecord else { return }
    let state = order.machine.state.wire
    let isNews = state != toldState
    switch state {
    case .queued,
      .detached where isNews:
      break
    case .running where isNews && toldState != nil: break
    default: return
    }
    guard isNews else { return }
    toldState = state
    call.send(order.stateMessage)
  }

  func finish(_ end: CallEnd) {
    call.send(end.message)
    call.finish(.ok)
  }
}
