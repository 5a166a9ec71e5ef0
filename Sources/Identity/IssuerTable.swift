internal import Crypto

/// The kinds of name a certificate can carry.
package enum NameKind: String, Sendable, Hashable, CaseIterable {
  case uri, dns, address, email, other
}

/// What one issuer may say.
package struct IssuerGrant: Sendable, Hashable {
  package let trustDomain: TrustDomain
  package let kinds: Set<PrincipalKind>
  /// All kinds of name its certificates may carry; another kind refuses the certificate.
  package let nameKinds: Set<NameKind>
  /// Given to each principal it asserts.
  package let groups: Set<String>

  package init(
    trustDomain: TrustDomain,
    kinds: Set<PrincipalKind>,
    nameKinds: Set<NameKind> = [.uri],
    groups: Set<String> = []
  ) {
    self.trustDomain = trustDomain
    self.kinds = kinds
    self.nameKinds = nameKinds
    self.groups = groups
  }
}

/// What each issuer may assert, by the pin of its key.
///
/// X.509 name constraints see only the host of a URI, so a constrained issuer of workspaces could
/// sign a user; this table is what stops it, our own authorities included.
package struct IssuerTable: Sendable {
  private var grants: [String: IssuerGrant] = [:]

  package init() {}

  /// Lets the holder of the key with this pin assert what `grant` says, and nothing it could before.
  package mutating func set(_ grant: IssuerGrant, forPin pin: String) { grants[pin] = grant }

  package func grant(forPin pin: String) -> IssuerGrant? { grants[pin] }
}

extension NameKind {
  init(_ name: AlternativeName) {
    switch name {
    case .uri: self = .uri
    case .dns: self = .dns
    case .address: self = .address
    case .email: self = .email
    case .other: self = .other
    }
  }
}
