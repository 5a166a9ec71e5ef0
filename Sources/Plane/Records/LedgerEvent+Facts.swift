internal import Ledger
internal import SwiftProtobuf
internal import Wire

extension EventFacts {
  /// What of an event's body the ledger's index keeps.
  static func of(_ event: LedgerEvent) -> EventFacts? {
    var facts = EventFacts()
    if let effects = event.effects {
      facts.paths = effects.files.map { Array($0.path) }
      return facts
    }
    guard let intent = event.intent else { return nil }
    facts.tool = intent.tool
    if let path = intent.path { facts.paths = [path] }
    if !intent.idempotencyKey.isEmpty {
      facts.key = CallKey(key: intent.idempotencyKey, digest: Array(intent.digest))
    }
    return facts
  }
}
