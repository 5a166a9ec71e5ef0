internal import Calls
internal import Identity
internal import RPC

extension Switchboard {
  /// A daemon opens `Carry`.
  ///
  /// - Throws: `NOT_FOUND`, unless certificate, epoch, call and ticket belong together.
  func carry(_ call: ServerCall) throws(RPCStatus) -> CarryHandler {
    let principal = try call.principal
    let refusal = RPCStatus(.notFound, "no such ticket; keep the call and report it as unclaimed")
    guard let order = call.metadata["gatehouse-call"].flatMap({ calls[$0] }),
      principal.kind == .workspace, principal.name == order.workspace.id,
      let epoch = call.metadata.bytes("gatehouse-epoch").flatMap({ SessionEpoch(text: $0) }),
      let ticket = call.metadata.bytes("gatehouse-ticket-bin").flatMap({ Ticket(bytes: $0) })
    else {
      counters.ticketRefused()
      options.observe?(.claimRefused(call.metadata["gatehouse-call"] ?? "", principal))
      note(.claimRefused(call.metadata["gatehouse-call"] ?? "", principal))
      throw refusal
    }
    guard carries[principal.name, default: 0] < options.carriesPerDaemon else {
      throw .full("workspace '\(order.workspace.name)' has too many streams open", .seconds(1))
    }
    let carry = CarryHandler(self, order, call)
    handle(.claim(BrokerCall.Claim(ticket: ticket, epoch: epoch), .now), for: order, by: carry)
    guard carry.attachment != nil else {
      counters.ticketRefused()
      options.observe?(.claimRefused(order.id, principal))
      note(.claimRefused(order.id, principal))
      throw refusal
    }
    carries[principal.name, default: 0] += 1
    return carry
  }

  /// A `Carry` stream is over; if it was the call's, the call is without one.
  func carryOver(_ carry: CarryHandler, of call: Call) {
    guard let attachment = carry.attachment else { return }
    let count = carries[call.workspace.id, default: 0] - 1
    carries[call.workspace.id] = count > 0 ? count : nil
    guard call.carry === carry else { return }
    dropCarry(of: call)
    handle(.carryClosed(attachment: attachment, ticket(), .now), for: call)
  }

  func outputArrived(_ call: Call) {
    call.keeper?.pump()
    if call.isOrphaned { takeAll(call) }
    call.announce()
  }

  /// Where the disk takes for good, nobody else does.
  func takeAll(_ call: Call) {
    guard call.keeper?.isKeeping != true else { return }
    taken(call.log.take(entries: call.log.entryCount), of: call)
  }

  /// The owner took output: `credit` bytes go back to the stream that brought them. What earlier ones
  /// brought leaves the budget, and makes room for this one's window. `isOwner`: it was the owner, not the
  /// disk.
  func taken(_ credit: Int, of call: Call, isOwner: Bool = true) {
    let surplus = call.retained - min(call.retained, call.log.untakenBefore)
    if surplus > 0 {
      call.retained -= surplus
      budget.giveBack(surplus, of: call.workspace.id)
      call.carry?.raiseWindow()
    }
    call.carry?.taken(credit: credit)
    if isOwner { call.keeper?.ownerMoved() }
  }

  /// The call's stream is its own no more. What it brought and nobody took keeps its place in the
  /// budget; what finds none there is dropped, and the daemon sends it again.
  func dropCarry(of call: Call) {
    guard let carry = call.carry else { return }
    call.carry = nil
    let workspace = call.workspace.id
    var share = call.retained + carry.surrenderPromise()
    // Of a call that has ended nothing comes again, so nothing is dropped.
    let isLast = call.machine.isEnded
    if !isLast { share += budget.take(call.log.untakenCost - share, for: workspace) }
    call.lostBytes &-= call.log.attachmentEnded(keeping: isLast ? .max : share)
    call.retained = min(share, call.log.untakenCost)
    budget.giveBack(share - call.retained, of: workspace)
  }
}
