internal import Identity
internal import Ledger
internal import Logging
internal import SwiftProtobuf
internal import Wire

extension Audit {
  private static let maxRule = 1_024

  /// Makes the index anew.
  func rebuild(for principal: Principal) async throws -> Gatehouse_Plane_V1_RebuildAuditResponse {
    guard viewer(principal).isAuditor else {
      throw PlaneError(
        .permissionDenied,
        "only auditors may rebuild the index; ask for the group 'auditors'"
      )
    }
    let report = try await reader.ledger.rebuildIndex()
    return .with {
      $0.events = report.events
      $0.differences = report.differences
    }
  }

  /// Exchanges the key that signs checkpoints.
  func rotateKey(for principal: Principal) async throws -> Gatehouse_Plane_V1_RotateAuditKeyResponse
  {
    guard viewer(principal).isAuditor else {
      throw PlaneError(
        .permissionDenied,
        "only auditors may exchange the key that signs checkpoints; ask for the group 'auditors'"
      )
    }
    let rotation = try await reader.ledger.rotateKey(by: EventPrincipal(principal))
    Plane.log.notice("checkpoint_key_rotated", metadata: ["key": "\(rotation.new)"])
    return .with {
      $0.sequence = rotation.event.sequence
      $0.oldKey = rotation.old
      $0.newKey = rotation.new
    }
  }

  /// Destroys a chat's key, and removes what else the plane has of it.
  ///
  /// - Throws: `notFound`, also for what is not the caller's to see; `failedPrecondition`.
  func erase(
    _ request: Gatehouse_Plane_V1_EraseAuditRequest,
    for principal: Principal
  ) async throws -> Gatehouse_Plane_V1_EraseAuditResponse {
    guard !request.rule.isEmpty, request.rule.utf8.count <= Self.maxRule else {
      throw PlaneError(.invalidArgument, "say why, or under which rule, in at most 1 KiB")
    }
    let events = try await reader.ledger.events(ofChat: request.chat)
    guard let first = events.first(where: { $0.header.kind == .chatStarted }),
      viewer(principal).maySee(first.header)
    else { throw PlaneError(.notFound, "there is no chat '\(request.chat)' that you may erase") }
    guard events.last(where: { Self.turns.contains($0.header.kind) })?.header.kind == .chatEnded
    else {
      throw PlaneError(
        .failedPrecondition,
        "the turn of chat '\(request.chat)' goes on; first: gatehouse chat stop \(request.chat)"
      )
    }
    let receipt: Receipt
    do throws(LedgerError) {
      receipt = try await reader.ledger.erase(
        "chat/\(request.chat)",
        by: EventPrincipal(principal),
        rule: request.rule
      )
    } catch {
      // Who was cut off within an erase has left the rest of it to do.
      if try await reader.ledger.isErased("chat/\(request.chat)") { try await forget(request.chat) }
      throw error
    }
    try await forget(request.chat)
    return .with { $0.sequence = receipt.sequence }
  }

  private func forget(_ chat: String) async throws {
    do {
      try await forgetChat(chat)
    } catch {
      Plane.log.error("chat_not_removed", metadata: ["chat": "\(chat)", "error": "\(error)"])
      throw PlaneError(
        .unavailable,
        "the key of chat '\(chat)' is destroyed, and what its followers were told is on the plane's disk "
          + "still: the plane's log says why. See to that, and erase the chat again"
      )
    }
  }

  /// What a turn begins and ends with.
  private static let turns: Set<EventKind> = [.chatStarted, .chatPrompted, .chatEnded]
}
