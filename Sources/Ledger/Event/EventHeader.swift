package import Crypto

/// Who acted, as an event keeps it.
package struct EventPrincipal: Hashable, Sendable {
  /// A SPIFFE id.
  package let id: String
  /// SHA-256 of the key that issued the certificate, and of the certificate's own; nil: it has none,
  /// as the plane itself.
  package let issuerPin: Hash256?
  package let keyPin: Hash256?

  package init(id: String, issuerPin: Hash256?, keyPin: Hash256?) {
    self.id = id
    self.issuerPin = issuerPin
    self.keyPin = keyPin
  }
}

/// Whose word an event is.
package enum Evidence: UInt64, Sendable {
  /// The plane saw it.
  case plane = 1
  /// A daemon reported it.
  case daemon = 2
}

/// What is hashed of an event: who, what, when, where, and why. Without content; that is in the body.
package struct EventHeader: Equatable, Sendable {
  /// Of the header's own layout.
  package static let schema: UInt64 = 1

  /// From 1, without a hole.
  package internal(set) var sequence: UInt64 = 0
  /// Microseconds since 1970, by the plane's clock, which may jump.
  package internal(set) var time: Int64 = 0
  package let kind: EventKind
  package var principal: EventPrincipal?
  /// Whom it acted for, where that is someone else.
  package var onBehalfOf: EventPrincipal?
  package var workspace = ""
  package var chat = ""
  package var parentChat = ""
  /// From 1; 0: none.
  package var turn: UInt64 = 0
  package var step: UInt64 = 0
  package var call = ""
  /// The sequence number of the event that this one comes from; 0: none.
  package var cause: UInt64 = 0
  package var policyVersion: UInt64 = 0
  /// Of the rules that turn certificates into principals.
  package var mappingVersion: UInt64 = 0
  package var evidence = Evidence.plane
  /// SHA-256 over a salt and the body; nil: there is none.
  package internal(set) var bodyDigest: Hash256?

  package init(_ kind: EventKind) { self.kind = kind }
}
