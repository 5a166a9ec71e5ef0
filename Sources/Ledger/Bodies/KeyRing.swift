internal import Crypto
internal import Synchronization

/// The keys in use. Those who append seal with them, on threads of their own; only the writer makes
/// new ones.
///
/// They are found by scope and day: a scope's key may be another one the next day, if that is in
/// another month. So its name, which is a longer text, is put together once a day.
final class KeyRing: Sendable {
  private struct Entry {
    let name: String
    let day: Int64
    let key: BodyKey
  }

  private struct State {
    var entries: [BodyScope: Entry] = [:]
    var random = SecureRandom.Generator()
  }

  private let state = Mutex(State())
  private let limit: Int

  init(limit: Int = 4_096) { self.limit = limit }

  /// Seals a body of `time`, in microseconds since 1970, if the key is at hand.
  func seal(_ body: [UInt8], _ scope: BodyScope, at time: Int64) -> SealedBody? {
    let day = Self.day(time)
    let found = state.withLock { state -> (BodyKey, BodyRandom)? in
      guard let entry = state.entries[scope], entry.day == day else { return nil }
      return (entry.key, BodyRandom(&state.random))
    }
    return found.map { key, random in key.seal(body, random) }
  }

  func random() -> BodyRandom { state.withLock { BodyRandom(&$0.random) } }

  /// `name`: of the scope at `time`.
  func insert(_ key: BodyKey, _ scope: BodyScope, name: String, at time: Int64) {
    let entry = Entry(name: name, day: Self.day(time), key: key)
    state.withLock { state in
      // They are in the store; a chat that goes on brings its own back.
      if state.entries.count >= limit { state.entries.removeAll(keepingCapacity: true) }
      state.entries[scope] = entry
    }
  }

  /// By whatever scopes it is known: a principal has one for each of its certificates.
  func remove(_ name: String) {
    state.withLock { $0.entries = $0.entries.filter { $0.value.name != name } }
  }

  private static func day(_ time: Int64) -> Int64 { max(0, time) / 86_400_000_000 }
}
