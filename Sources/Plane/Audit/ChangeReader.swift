internal import Ledger
internal import SwiftProtobuf
internal import Wire

/// Reads from the ledger what calls changed.
struct ChangeReader {
  let reader: AuditReader
  let viewer: AuditViewer

  /// - Throws: `notFound`, also for what is not the viewer's; `failedPrecondition`.
  func changes(of request: Gatehouse_Plane_V1_DiffRequest) async throws -> ChangeFold {
    switch request.subject {
    case .call(let call): try await changes(ofCall: call)
    case .chat(let chat): try await changes(ofChat: chat)
    case nil: throw PlaneError(.invalidArgument, "name a call or a chat")
    }
  }

  private func changes(ofCall call: String) async throws -> ChangeFold {
    var isThere = false
    var fold: ChangeFold?
    let last = max(1, reader.ledger.lastSequence)
    try await reader.forwards(in: 1...last, by: [[.call(call)]]) { event in
      guard event.header.call == call, viewer.maySee(event.header) else { return .more }
      isThere = true
      guard event.header.kind == .callEnded else { return .more }
      fold = ChangeFold()
      fold?.add(event)
      return .enough
    }
    guard isThere else {
      throw PlaneError(.notFound, "there is no call '\(call)' that you may see")
    }
    guard let fold else {
      throw PlaneError(
        .failedPrecondition,
        "call '\(call)' has not ended, so nobody knows what it changes; wait for it with: "
          + "gatehouse call follow \(call)"
      )
    }
    guard fold.summary.calls.allSatisfy({ !$0.erased }) else {
      throw PlaneError(
        .failedPrecondition,
        "what call '\(call)' changed was erased; who did it, and why: gatehouse audit search "
          + "--kind ledger.erased"
      )
    }
    return fold
  }

  private func changes(ofChat chat: String) async throws -> ChangeFold {
    var isThere = false
    var intended: Set<String> = []
    var fold = ChangeFold()
    let last = max(1, reader.ledger.lastSequence)
    let kinds: [SearchTerm] = [.kind(.chatStarted), .kind(.callIntended), .kind(.callEnded)]
    try await reader.forwards(in: 1...last, by: [[.chat(chat)], kinds]) { event in
      guard event.header.chat == chat, viewer.maySee(event.header) else { return .more }
      switch event.header.kind {
      case .chatStarted: isThere = true
      case .callIntended: intended.insert(event.header.call)
      case .callEnded:
        intended.remove(event.header.call)
        fold.add(event)
      default: break
      }
      return .more
    }
    guard isThere else {
      throw PlaneError(.notFound, "there is no chat '\(chat)' that you may see")
    }
    if !fold.summary.calls.isEmpty, fold.summary.calls.allSatisfy(\.erased) {
      throw PlaneError(
        .failedPrecondition,
        "what chat '\(chat)' changed was erased; who did it, and why: gatehouse audit search "
          + "--kind ledger.erased"
      )
    }
    fold.summary.underWay = UInt32(clamping: intended.count)
    return fold
  }
}
