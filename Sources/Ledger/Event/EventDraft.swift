/// An event to be: all that is not the ledger's to say.
package struct EventDraft: Sendable {
  package var header: EventHeader
  /// Whose key the body is sealed with.
  package var scope: BodyScope
  /// A `gatehouse.ledger.v1.Body`; nil: none.
  package var body: [UInt8]?

  package init(_ header: EventHeader, scope: BodyScope, body: [UInt8]? = nil) {
    self.header = header
    self.scope = scope
    self.body = body
  }
}

/// That an event is durable.
package struct Receipt: Sendable, Equatable {
  package let sequence: UInt64
  /// Microseconds since 1970.
  package let time: Int64
}

/// That the key that signs checkpoints was exchanged.
package struct KeyRotation: Sendable, Equatable {
  package let event: Receipt
  /// As other tools take them.
  package let old: String
  package let new: String
}

/// An event, read.
package struct LedgerEvent: Sendable, Equatable {
  package enum Body: Sendable, Equatable {
    case none
    case bytes([UInt8])
    /// Its key was destroyed.
    case erased
    /// What lies there is not what the header says.
    case unreadable
  }

  package let header: EventHeader
  package let body: Body
}
