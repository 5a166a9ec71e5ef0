internal import Calls
internal import Identity
internal import RPC
internal import Wire

/// A follower: reads a call's output from given positions, then live, to its end.
final class FollowHandler: ServerHandler {
  private let board: Switchboard
  private let principal: Principal
  private let call: ServerCall
  private var reader: ReaderStream
  private var order: Call?

  init(_ board: Switchboard, _ call: ServerCall) throws(RPCStatus) {
    self.board = board
    self.call = call
    principal = try call.principal
    reader = ReaderStream(call, from: Positions())
  }

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    call.credit(credit)
    guard order == nil else {
      return call.finish(RPCStatus(.unimplemented, "\(call.path) takes one request; more came"))
    }
    do {
      let request = try Gatehouse_Tools_V1_FollowRequest.decoded(message)
      let order = try board.call(request.callID, for: principal)
      reader = ReaderStream(call, from: Positions(request.from))
      self.order = order
      order.followers[ObjectIdentifier(self)] = self
      pump()
    } catch {
      call.finish(error)
    }
  }

  func halfClosed(_ call: ServerCall) {
    guard order == nil else { return }
    call.finish(RPCStatus(.unimplemented, "\(call.path) takes one request; none came"))
  }

  func drained(_ call: ServerCall) { pump() }

  func ended(_ status: RPCStatus, _ call: ServerCall) { leave() }

  /// What it asked the disk for.
  func fetched(_ page: SpoolPage) {
    reader.take(page)
    pump()
  }

  func pump() {
    guard let order, reader.pump(order, for: ObjectIdentifier(self)) == .caughtUp,
      let end = order.end, order.machine.isEnded
    else { return }
    reader.finish(end)
    leave()
  }

  private func leave() {
    order?.followers[ObjectIdentifier(self)] = nil
    order = nil
  }
}
