internal import Crypto

/// The tokens that were given out and can still be turned into a certificate.
///
///     made ──redeem──▶ used      ten minutes after it was made, either is forgotten
///
/// Only SHA-256 of a token is kept, so a copy of the plane's memory enrolls nobody.
package struct JoinTokens: Sendable {
  /// Whom a token makes.
  package enum Bearer: Sendable, Hashable {
    /// By workspace id.
    case workspace(String)
    /// By name.
    case user(String)
  }

  package enum Refusal: Error, Sendable, Equatable {
    /// Never made, or forgotten since.
    case unknown
    case used
    case expired
    /// As many as fit are out; some expire within ten minutes.
    case tooMany
  }

  /// Seconds from making to the end.
  package static let lifetimeSeconds: Int64 = 600

  private struct Entry {
    let bearer: Bearer
    /// By the same clock; the first second at which it is worth nothing.
    let end: Int64
    var used = false
    var looks = 0
  }

  private let limit: Int
  private var entries: [[UInt8]: Entry] = [:]

  /// - Parameter limit: most tokens out at once.
  package init(limit: Int = 1024) { self.limit = limit }

  /// A token nobody can guess: `ghj_` and 256 random bits in hexadecimal.
  package static func makeToken() -> String { "ghj_" + Hex.encode(SecureRandom.bytes(32)) }

  /// Lets `token` make `bearer`, once, until ten minutes after `now`, in seconds
  /// by a clock that is not set.
  ///
  /// - Throws: `tooMany`.
  package mutating func add(
    _ token: String,
    for bearer: Bearer,
    at now: Int64
  ) throws(Refusal) {
    if entries.count >= limit { forgetExpired(at: now) }
    guard entries.count < limit else { throw .tooMany }
    entries[Self.key(token)] = Entry(bearer: bearer, end: now + Self.lifetimeSeconds)
  }

  /// Requests that may come with a token before one is good: whoever has a token need not be limited
  /// otherwise.
  package static let maxLooks = 20

  /// Whom a token makes, before the request that it came with is looked at.
  ///
  /// - Throws: `unknown`, `used` (also when it came too often), `expired`.
  package mutating func look(_ token: String, at now: Int64) throws(Refusal) -> Bearer {
    let entry = try entry(token, at: now)
    guard entry.looks < Self.maxLooks else { throw .used }
    entries[Self.key(token)]?.looks += 1
    return entry.bearer
  }

  /// Uses a token up.
  ///
  /// - Throws: `unknown`, `used`, `expired`.
  package mutating func redeem(_ token: String, at now: Int64) throws(Refusal) -> Bearer {
    let bearer = try entry(token, at: now).bearer
    entries[Self.key(token)]?.used = true
    return bearer
  }

  private mutating func entry(_ token: String, at now: Int64) throws(Refusal) -> Entry {
    let key = Self.key(token)
    guard let entry = entries[key] else { throw .unknown }
    guard now < entry.end else {
      entries[key] = nil
      throw .expired
    }
    guard !entry.used else { throw .used }
    return entry
  }

  /// Makes all unused tokens of a bearer worthless, as when a workspace is deleted.
  package mutating func revoke(_ bearer: Bearer) {
    entries = entries.filter { $0.value.bearer != bearer }
  }

  private mutating func forgetExpired(at now: Int64) {
    entries = entries.filter { now < $0.value.end }
  }

  private static func key(_ token: String) -> [UInt8] { SHA256.hash(Array(token.utf8)) }
}
