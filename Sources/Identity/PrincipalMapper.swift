package import Crypto

/// Why a certificate is nobody. The text is for the peer that sent it.
package struct MappingRefusal: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Reason: Sendable, Equatable {
    case noCertificate
    case noIssuer
    case notSignedByIssuer
    case unknownIssuer
    case authority
    case usage
    case notYetValid
    case expired
    case names
    case identity
    case trustDomain
    case kind
  }

  package let reason: Reason
  package let description: String

  init(_ reason: Reason, _ description: String) {
    self.reason = reason
    self.description = description
  }

  package static let noCertificate = MappingRefusal(
    .noCertificate,
    "no client certificate was sent"
  )
}

/// Turns a certificate chain into a principal, or says why it is none.
package struct PrincipalMapper: Sendable {
  private let issuers: IssuerTable

  package init(issuers: IssuerTable) { self.issuers = issuers }

  /// Maps a chain: the leaf, then who signed it; the rest is not looked at. `now` is in seconds since
  /// 1970.
  ///
  /// TLS has verified that the leaf's chain ends at an anchor. That the second certificate signed
  /// the first is checked again here: in a chain as a peer sent it any certificate may stand there.
  package func map(
    _ chain: [Certificate],
    at now: Int64
  ) -> Result<Principal, MappingRefusal> {
    do {
      return .success(try principal(chain, at: now))
    } catch {
      return .failure(error)
    }
  }

  private func principal(
    _ chain: [Certificate],
    at now: Int64
  ) throws(MappingRefusal) -> Principal {
    guard let leaf = chain.first else {
      throw .noCertificate
    }
    try checkValidity(of: leaf, at: now)
    let grant = try grant(for: leaf, chain)
    let id = try identity(of: leaf, grant)
    return Principal(
      id: id,
      issuerPin: chain[1].publicKeyPin,
      certificatePin: leaf.publicKeyPin,
      groups: grant.groups
    )
  }

  private func checkValidity(of leaf: Certificate, at now: Int64) throws(MappingRefusal) {
    guard !leaf.isAuthority else {
      throw MappingRefusal(.authority, "the certificate is an authority's; it cannot act")
    }
    // TLS refuses one for other usages, but takes one that says nothing of them.
    guard leaf.isForClients else {
      throw MappingRefusal(
        .usage,
        "the certificate is not made for clients; it lacks the extended key usage clientAuth"
      )
    }
    guard leaf.notBefore <= now else {
      throw MappingRefusal(.notYetValid, "the certificate is not valid yet; check the clocks")
    }
    guard now <= leaf.notAfter else {
      throw MappingRefusal(.expired, "the certificate has expired; get a new one")
    }
  }

  private func grant(
    for leaf: Certificate,
    _ chain: [Certificate]
  ) throws(MappingRefusal) -> IssuerGrant {
    guard chain.count > 1 else {
      throw MappingRefusal(.noIssuer, "the certificate's issuer is not known here")
    }
    guard leaf.isSigned(by: chain[1]) else {
      throw MappingRefusal(
        .notSignedByIssuer,
        "the certificate is not signed by the next in its chain"
      )
    }
    guard let grant = issuers.grant(forPin: chain[1].publicKeyPin) else {
      throw MappingRefusal(
        .unknownIssuer,
        "issuer \(chain[1].publicKeyPin) may not assert anyone here"
      )
    }
    return grant
  }

  private func identity(
    of leaf: Certificate,
    _ grant: IssuerGrant
  ) throws(MappingRefusal) -> SPIFFEID {
    for name in leaf.alternativeNames where !grant.nameKinds.contains(NameKind(name)) {
      throw MappingRefusal(
        .names,
        "the issuer may not put a name of kind \(NameKind(name)) into a certificate"
      )
    }
    let uris = leaf.uriNames
    guard uris.count == 1 else {
      throw MappingRefusal(.names, "the certificate has \(uris.count) URI names, not one")
    }
    guard let id = SPIFFEID(uris[0]) else {
      throw MappingRefusal(
        .identity,
        "the certificate's URI name is not spiffe://<trust domain>/<kind>/<name>"
      )
    }
    guard id.trustDomain == grant.trustDomain else {
      throw MappingRefusal(.trustDomain, "the issuer may not assert trust domain \(id.trustDomain)")
    }
    guard grant.kinds.contains(id.kind) else {
      throw MappingRefusal(.kind, "the issuer may not assert a \(id.kind.rawValue)")
    }
    return id
  }
}
