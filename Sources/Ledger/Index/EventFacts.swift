/// What of an event's body can be searched for, or opens something that a later event closes. Said by
/// whoever knows what bodies mean.
package struct EventFacts: Equatable, Sendable {
  package var tool = ""
  /// The files that it is about.
  package var paths: [[UInt8]] = []
  /// Of an intent that has one.
  package var key: CallKey?

  package init() {}
}

/// An idempotency key, and the call that it stands for.
package struct CallKey: Equatable, Sendable {
  package let key: String
  /// Of tool and request.
  package let digest: [UInt8]

  package init(key: String, digest: [UInt8]) {
    self.key = key
    self.digest = digest
  }
}

/// An idempotency key as the ledger has it.
package struct KeptKey: Equatable, Sendable {
  package let principal: String
  package let issuerPin: [UInt8]
  package let key: String
  package let digest: [UInt8]
  package let call: String
  package let workspace: String
  /// The intent's sequence number.
  package let intent: UInt64
  /// When the call ended, in microseconds since 1970; 0: it has not.
  package let ended: Int64
}
