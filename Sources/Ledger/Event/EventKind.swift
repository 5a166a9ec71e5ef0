/// What happened. Numbers are for ever: they are in hashed bytes.
///
/// A kind that is not known here is kept as its number: readers pass over it, folds refuse it.
package struct EventKind: Hashable, Sendable {
  package let number: UInt64

  package init(number: UInt64) { self.number = number }

  /// `noun.verb`, or `kind_…` for one that a newer program wrote.
  package var name: String { Self.names[number] ?? "kind_\(number)" }

  package init?(name: String) {
    guard let number = Self.names.first(where: { $0.value == name })?.key else { return nil }
    self.number = number
  }

  package var isKnown: Bool { Self.names[number] != nil }

  package static let known = names.keys.sorted().map(EventKind.init)
}

extension EventKind {
  // The ledger's own.
  package static let ledgerBegun = EventKind(number: 1)
  package static let keyRotated = EventKind(number: 2)
  package static let bodiesErased = EventKind(number: 3)
  /// It could not be written for a while; says since when, why, and how much is missing.
  package static let ledgerResumed = EventKind(number: 4)
  /// It goes on from a copy; says from when, and what of the history before was seen outside.
  package static let ledgerRestored = EventKind(number: 5)
  // The plane, and who comes to it.
  package static let planeStarted = EventKind(number: 16)
  package static let planeStopped = EventKind(number: 17)
  package static let enrolled = EventKind(number: 18)
  package static let refused = EventKind(number: 19)
  package static let linkOpened = EventKind(number: 20)
  package static let linkClosed = EventKind(number: 21)
  package static let renewed = EventKind(number: 22)
  package static let tokenMade = EventKind(number: 23)
  // Workspaces.
  package static let workspaceCreated = EventKind(number: 32)
  package static let workspaceStarted = EventKind(number: 33)
  package static let workspaceStopped = EventKind(number: 34)
  package static let workspaceDeleted = EventKind(number: 35)
  // Calls.
  package static let callIntended = EventKind(number: 48)
  package static let callOffered = EventKind(number: 49)
  package static let callStarted = EventKind(number: 50)
  package static let callCancelled = EventKind(number: 51)
  package static let callEnded = EventKind(number: 52)
  package static let callFound = EventKind(number: 53)
  // Chats.
  package static let chatStarted = EventKind(number: 64)
  package static let chatPrompted = EventKind(number: 65)
  package static let stepBegun = EventKind(number: 66)
  package static let modelAnswered = EventKind(number: 67)
  package static let modelFailed = EventKind(number: 68)
  package static let modelCut = EventKind(number: 69)
  package static let toolAnswered = EventKind(number: 70)
  package static let chatEnded = EventKind(number: 71)
  package static let chatStopAsked = EventKind(number: 72)

  private static let names: [UInt64: String] = [
    1: "ledger.begun", 2: "ledger.key_rotated", 3: "ledger.erased", 4: "ledger.resumed",
    5: "ledger.restored",
    16: "plane.started", 17: "plane.stopped", 18: "identity.enrolled", 19: "request.refused",
    20: "link.opened", 21: "link.closed", 22: "identity.renewed", 23: "identity.token_made",
    32: "workspace.created", 33: "workspace.started", 34: "workspace.stopped",
    35: "workspace.deleted",
    48: "call.intended", 49: "call.offered", 50: "call.started", 51: "call.cancelled",
    52: "call.ended", 53: "call.found",
    64: "chat.started", 65: "chat.prompted", 66: "step.begun", 67: "model.answered",
    68: "model.failed", 69: "model.cut", 70: "tool.answered", 71: "chat.ended",
    72: "chat.stop_asked",
  ]
}
