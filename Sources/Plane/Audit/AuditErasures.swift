internal import FoundationEssentials
internal import Ledger
internal import SwiftProtobuf
internal import Wire

/// Events as they are told, with who erased what can be read no more. For one answer: each chat is
/// looked up once.
final class AuditErasures {
  private let reader: AuditReader
  private var known: [String: [Gatehouse_Plane_V1_Erasure]] = [:]

  init(_ reader: AuditReader) { self.reader = reader }

  func told(
    _ event: LedgerEvent,
    withoutBody: Bool = false
  ) async throws -> Gatehouse_Plane_V1_AuditEvent {
    var told = Gatehouse_Plane_V1_AuditEvent(event, withoutBody: withoutBody)
    if case .erased = event.body, let erasure = try await erasure(of: event) {
      told.erasure = erasure
    }
    return told
  }

  /// Of a chat's event; nil for what was erased otherwise.
  private func erasure(of event: LedgerEvent) async throws -> Gatehouse_Plane_V1_Erasure? {
    let chat = event.header.chat
    guard !chat.isEmpty else { return nil }
    func isIt(_ erasure: Gatehouse_Plane_V1_Erasure) -> Bool {
      erasure.sequence > event.header.sequence
    }
    if let found = known[chat]?.first(where: isIt) { return found }
    let all = try await erasures(of: chat)
    known[chat] = all
    return all.first(where: isIt)
  }

  /// Oldest first: a chat that went on may have been erased again.
  private func erasures(of chat: String) async throws -> [Gatehouse_Plane_V1_Erasure] {
    var found: [Gatehouse_Plane_V1_Erasure] = []
    let last = max(1, reader.ledger.lastSequence)
    let terms: [[SearchTerm]] = [[.chat(chat)], [.kind(.bodiesErased)]]
    try await reader.forwards(in: 1...last, by: terms) { event in
      if event.header.kind == .bodiesErased, event.header.chat == chat {
        found.append(.init(event))
      }
      return .more
    }
    return found
  }
}

extension Gatehouse_Plane_V1_Erasure {
  fileprivate init(_ event: LedgerEvent) {
    self.init()
    let told = Gatehouse_Plane_V1_AuditEvent(event, withoutBody: false)
    sequence = event.header.sequence
    principal = told.header.principal
    rule = told.body.bodiesErased.rule
    timeUnixUs = told.header.timeUnixUs
  }
}
