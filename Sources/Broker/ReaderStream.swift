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
  /// The page that is on its way from the disk.
  private var wanted: SpoolPlace?
  private var toldState: Gatehouse_Tools_V1_CallState?
  private var toldWait = false

  /// Responses wait in the log while this much waits to be sent, in bytes.
  private static let highMark = 256 * 1024
  /// Below this, what was sent counts as taken: it is in the socket's buffer, or about to be.
  private static let lowMark = 64 * 1024

  init(_ call: ServerCall, from positions: Positions) {
    self.call = call
    cursor = CallLog.Cursor(from: positions)
  }

  enum Progress { case caughtUp, full }

  /// Sends what is new, as far as there is room; `full` asks for `drained`, or for a page from the disk,
  /// which comes to `reader`'s `fetched`.
  mutating func pump(_ order: Call, for reader: ObjectIdentifier) -> Progress {
    tellState(of: order)
    guard wanted == nil else { return .full }
    while call.queuedBytes < Self.highMark {
      switch order.log.next(&cursor) {
      case .item(let item): send(item)
      case .nothing: return .caughtUp
      case .onDisk(let place):
        wanted = place
        order.read(place, for: reader)
        return .full
      }
    }
    call.notifyWhenDrained()
    return .full
  }

  mutating func take(_ page: SpoolPage) {
    // A reader that was before this one, in the same memory, may have asked for another.
    guard page.place == wanted else { return }
    wanted = nil
    cursor.take(page)
  }

  private func send(_ item: CallLog.Item) {
    switch item {
    case .message(let message, _): call.send(message)
    case .gap(let gap):
      var response = Gatehouse_Tools_V1_FollowResponse()
      response.gap = gap.wire
      call.send(response.encoded)
    }
  }

  /// What was sent is out of our hands.
  var isDrained: Bool { call.queuedBytes <= Self.lowMark }

  /// Says when the call waits, is cut, and goes on; nothing of one that simply runs.
  private mutating func tellState(of order: Call) {
    // It has its turn: only its record is waited for, which is no news.
    guard !order.isAwaitingRecord else { return }
    let state = order.machine.state.wire
    let waits = order.waitsForRoom
    let isNews = state != toldState || waits != toldWait
    switch state {
    case .queued,
      .detached where isNews:
      break
    case .running where isNews && (toldState != nil || waits): break
    default: return
    }
    guard isNews else { return }
    (toldState, toldWait) = (state, waits)
    call.send(order.stateMessage)
  }

  func finish(_ end: CallEnd) {
    call.send(end.message)
    call.finish(.ok)
  }
}
