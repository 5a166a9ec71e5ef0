internal import Crypto
internal import Synchronization

/// The keys in use. Those who append seal with them, on threads of their own; only the writer makes
/// new ones.
final class KeyRing: Sendable {
  private struct State {
    var keys: [String: BodyKey] = [:]
    var random = SecureRandom.Generator()
  }

  private let state = Mutex(State())
  private let limit: Int

  init(limit: Int = 4_096) { self.limit = limit }

  /// Seals a body if the key is at hand.
  func seal(_ body: [UInt8], scope name: String) -> SealedBody? {
    let found = state.withLock { state in
      state.keys[name].map { key in (key, random: Self.draw(&state.random)) }
    }
    guard let (key, random) = found else { return nil }
    return key.seal(body, random: random)
  }

  func insert(_ key: BodyKey, scope name: String) {
    state.withLock { state in
      // They are in the store; a chat that goes on brings its own back.
      if state.keys.count >= limit { state.keys.removeAll(keepingCapacity: true) }
      state.keys[name] = key
    }
  }

  func remove(_ name: String) { state.withLock { $0.keys[name] = nil } }

  private static func draw(_ random: inout SecureRandom.Generator) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    for _ in 0..<4 {
      let word = random.next()
      for shift in stride(from: 0, to: 64, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    return Array(bytes.prefix(BodyKey.randomBytes))
  }
}
