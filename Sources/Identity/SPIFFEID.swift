/// The name space our identities live in; the host of a SPIFFE id.
package struct TrustDomain: Sendable, Hashable, CustomStringConvertible {
  package let name: String

  /// Takes 1 to 255 of `a-z`, `0-9`, `.`, `-`, `_` (SPIFFE-ID §2.1); nil for anything else, upper
  /// case included.
  package init?(_ name: String) {
    guard (1...255).contains(name.utf8.count) else { return nil }
    guard name.utf8.allSatisfy(Self.allows) else { return nil }
    self.name = name
  }

  /// What a development plane uses.
  package static let development = TrustDomain(known: "gatehouse.local")

  private init(known name: String) { self.name = name }

  package var description: String { name }

  private static func allows(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

/// Who may act.
package enum PrincipalKind: String, Sendable, Hashable, CaseIterable {
  case workspace
  case user
  case service
  case plane
}

/// An identity: `spiffe://<trust domain>/<kind>/<name>`.
package struct SPIFFEID: Sendable, Hashable, CustomStringConvertible {
  package let trustDomain: TrustDomain
  package let kind: PrincipalKind
  /// A workspace's id, or the name of a user, service or replica of the plane.
  package let name: String
  /// The id as a URI; made once, since each call names who made it.
  package let description: String

  /// Takes a name of 1 to 64 of `a-z`, `A-Z`, `0-9`, `.`, `-`, `_`, and not only dots; nil for
  /// another.
  package init?(_ trustDomain: TrustDomain, _ kind: PrincipalKind, _ name: String) {
    guard Self.isName(name) else { return nil }
    self.trustDomain = trustDomain
    self.kind = kind
    self.name = name
    description = "spiffe://\(trustDomain)/\(kind.rawValue)/\(name)"
  }

  /// Reads the one form there is: no port, user, query, fragment, escape, or further segment.
  package init?(_ uri: String) {
    guard uri.utf8.starts(with: "spiffe://".utf8) else { return nil }
    let parts = uri.dropFirst("spiffe://".count)
      .split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    guard
      let domain = TrustDomain(String(parts[0])),
      let kind = PrincipalKind(rawValue: String(parts[1]))
    else { return nil }
    self.init(domain, kind, String(parts[2]))
  }

  package static func == (one: SPIFFEID, other: SPIFFEID) -> Bool {
    one.description == other.description
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(description) }

  private static func isName(_ name: String) -> Bool {
    guard (1...64).contains(name.utf8.count) else { return false }
    guard name.utf8.contains(where: { $0 != UInt8(ascii: ".") }) else { return false }
    return name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }
}
