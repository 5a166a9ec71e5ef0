/// Who is acting: what a certificate was mapped to. Each call names it, so it is made once for a
/// connection and referred to.
package final class Principal: Sendable, Hashable, CustomStringConvertible {
  package let id: SPIFFEID
  /// `sha256//…` of the key that issued the certificate. With `id` it is who one is: the same name
  /// from another issuer is someone else.
  package let issuerPin: String
  /// `sha256//…` of the certificate's own key.
  package let certificatePin: String
  package let groups: Set<String>

  package init(
    id: SPIFFEID,
    issuerPin: String,
    certificatePin: String,
    groups: Set<String> = []
  ) {
    self.id = id
    self.issuerPin = issuerPin
    self.certificatePin = certificatePin
    self.groups = groups
  }

  package var kind: PrincipalKind { id.kind }
  package var name: String { id.name }
  package var description: String { id.description }

  package static func == (one: Principal, other: Principal) -> Bool {
    one === other
      || one.id == other.id && one.issuerPin == other.issuerPin
        && one.certificatePin == other.certificatePin && one.groups == other.groups
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(id)
    hasher.combine(issuerPin)
    hasher.combine(certificatePin)
    hasher.combine(groups)
  }
}
