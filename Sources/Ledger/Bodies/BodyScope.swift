internal import Crypto
internal import LogLines
internal import Synchronization

/// What bodies share a key, and so are erased together.
///
/// Each chat has a key of its own. What belongs to no chat is the owner's, or the plane's, by the
/// month it was written in: so that a person's own calls can be erased without touching others', and
/// what is older than a class is kept goes with its month's key.
package enum BodyScope: Hashable, Sendable {
  /// By id.
  case chat(String)
  /// Calls of this principal that belong to no chat.
  case owner(EventPrincipal)
  /// Links, workspaces, enrollments.
  case plane
  /// The ledger's own: its keys' history, never erased.
  case ledger

  /// As it is kept. `time`: microseconds since 1970.
  package func name(at time: Int64) -> String {
    switch self {
    case .chat(let id): "chat/\(id)"
    case .owner(let actor):
      // The same name from another issuer is someone else.
      "owner/\(actor.id)/\(actor.issuerPin.map { Self.short($0.bytes) } ?? "-")/\(Self.month(time))"
    case .plane: "plane/\(Self.month(time))"
    case .ledger: "ledger"
    }
  }

  private static func short(_ pin: [UInt8]) -> String {
    Hex.encode(pin.prefix(8))
  }

  /// `2026-11`. Asked for with each event, so the day's is kept.
  private static func month(_ time: Int64) -> String {
    let day = max(0, time) / 86_400_000_000
    return months.withLock { last in
      if last.day != day {
        last = (day, String(Timestamp.text(UInt64(day) * 86_400_000).prefix(7)))
      }
      return last.text
    }
  }

  private static let months = Mutex<(day: Int64, text: String)>((-1, ""))
}

extension EventHeader {
  /// Whether a body of this event can have been erased with the scope of that name. Which scope a body is
  /// in is in no hash; what this goes by is.
  func mayBeErased(withScope name: String) -> Bool {
    guard !OwnBody.kinds.contains(kind) else { return false }
    guard chat.isEmpty else { return name == BodyScope.chat(chat).name(at: time) }
    // Not by the whole name: a body at a month's end may be sealed in the next one.
    if name.hasPrefix("plane/") { return true }
    return (onBehalfOf ?? principal).map { name.hasPrefix("owner/\($0.id)/") } ?? false
  }
}
