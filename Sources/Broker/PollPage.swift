internal import Calls
internal import FoundationEssentials
internal import Wire

/// One answer to `Poll`.
struct PollPage {
  private(set) var response = Gatehouse_Tools_V1_PollResponse()
  private var cursor: CallLog.Cursor
  private var room: Int
  /// What a chunk or gap costs of a page besides its data, at most. Without it a page of many small
  /// ones would be larger than a message may be.
  private static let overhead = 32

  init(_ request: Gatehouse_Tools_V1_PollRequest) {
    cursor = CallLog.Cursor(from: Positions(request.from))
    room = request.maxBytes == 0 ? 256 * 1024 : min(Int(request.maxBytes), 768 * 1024)
  }

  var isEmpty: Bool { response.chunks.isEmpty && response.gaps.isEmpty && !response.hasExit }

  /// Takes what is new, at least one chunk and at most `max_bytes` beyond that.
  mutating func fill(from call: Call) async {
    while room > 0, let item = await call.next(&cursor) { add(item) }
    response.state = call.machine.state.wire
    response.next = cursor.positions.offsets(of: CallStream.outputs)
    guard call.machine.isEnded, let end = call.end else { return }
    var rest = cursor
    if call.log.next(&rest) == .nothing { response.exit = end.exit }
  }

  private mutating func add(_ item: CallLog.Item) {
    switch item {
    case .gap(let gap):
      response.gaps.append(gap.wire)
      room -= Self.overhead
    case .message(let message, let chunk):
      var wire = Gatehouse_Tools_V1_Chunk()
      wire.stream = chunk.stream.wire
      wire.offset = chunk.offset
      wire.data = Data(message[chunk.data])
      response.chunks.append(wire)
      room -= chunk.data.count + Self.overhead
    }
  }
}
