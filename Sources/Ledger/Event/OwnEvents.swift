internal import Crypto

/// The bodies of the ledger's own events: `gatehouse.ledger.v1.Body`, whose field for a kind has the
/// kind's number.
enum OwnBody: Equatable {
  /// The first event: who signs its checkpoints.
  case begun(verifier: String)
  /// `signature` is the old key's, over `rotationMessage`.
  case keyRotated(old: String, new: String, signature: [UInt8])
  case erased(scope: String, rule: String)
  /// It could not be written since then. `kept` events waited, `missing` are not recorded.
  case resumed(since: Int64, reason: String, kept: UInt64, missing: UInt64)
  /// It goes on from a copy.
  case restored(Restoration)

  static let kinds: Set<EventKind> = [
    .ledgerBegun, .keyRotated, .bodiesErased, .ledgerResumed, .ledgerRestored,
  ]

  var kind: EventKind {
    switch self {
    case .begun: .ledgerBegun
    case .keyRotated: .keyRotated
    case .erased: .bodiesErased
    case .resumed: .ledgerResumed
    case .restored: .ledgerRestored
    }
  }

  var encoded: [UInt8] {
    var content = CanonicalWriter(capacity: 256)
    switch self {
    case .begun(let verifier): content.write(1, verifier)
    case .keyRotated(let old, let new, let signature):
      content.write(1, old)
      content.write(2, new)
      content.write(3, signature)
    case .erased(let scope, let rule):
      content.write(1, scope)
      content.write(2, rule)
    case .resumed(let since, let reason, let kept, let missing):
      content.write(1, UInt64(max(0, since)))
      content.write(2, reason)
      content.write(3, kept)
      content.write(4, missing)
    case .restored(let restoration):
      content.write(1, UInt64(max(0, restoration.copied)))
      content.write(2, restoration.until)
      content.write(3, restoration.checkpoints)
      content.write(4, restoration.digest)
      content.write(5, restoration.reason)
    }
    var body = CanonicalWriter(capacity: 256)
    body.write(UInt8(kind.number), content.bytes)
    return body.bytes
  }

  init(_ kind: EventKind, _ bytes: [UInt8]) throws(CanonicalError) {
    var body = CanonicalReader(bytes[...])
    guard let content = try body.bytes(UInt8(truncatingIfNeeded: kind.number)) else {
      throw CanonicalError("a body of another kind")
    }
    var reader = CanonicalReader(content)
    switch kind {
    case .ledgerBegun: self = .begun(verifier: try reader.text(1))
    case .keyRotated:
      self = .keyRotated(
        old: try reader.text(1),
        new: try reader.text(2),
        signature: Array(try reader.bytes(3) ?? [])
      )
    case .bodiesErased: self = .erased(scope: try reader.text(1), rule: try reader.text(2))
    case .ledgerResumed:
      self = .resumed(
        since: Int64(clamping: try reader.number(1)),
        reason: try reader.text(2),
        kept: try reader.number(3),
        missing: try reader.number(4)
      )
    case .ledgerRestored:
      self = .restored(
        Restoration(
          copied: Int64(clamping: try reader.number(1)),
          until: try reader.number(2),
          checkpoints: try reader.number(3),
          digest: Array(try reader.bytes(4) ?? []),
          reason: try reader.text(5)
        )
      )
    default: throw CanonicalError("\(kind.name) is not the ledger's own")
    }
  }

  static func rotationMessage(_ new: String) -> [UInt8] {
    Array("gatehouse.ledger.rotation.v1\0\(new)".utf8)
  }
}
