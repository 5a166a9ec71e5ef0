internal import Identity
internal import Ledger

/// What of the ledger a principal may see.
struct AuditViewer: Sendable {
  private let principal: EventPrincipal
  let isAuditor: Bool

  /// Auditors are the group of that name, and whoever started the plane.
  init(_ principal: Principal, trustDomain: TrustDomain) {
    self.principal = EventPrincipal(principal)
    let admin = SPIFFEID(trustDomain, .user, "admin")
    isAuditor = principal.groups.contains("auditors") || principal.id == admin
  }

  /// What all that others than auditors may see is found by.
  var terms: [[SearchTerm]] {
    isAuditor ? [] : [principal.id.split(separator: "/").suffix(1).map { .principal(String($0)) }]
  }

  /// Others see what they did themselves, and what was done on their behalf.
  func maySee(_ header: EventHeader) -> Bool {
    isAuditor || isSelf(header.principal) || isSelf(header.onBehalfOf)
  }

  /// The same name from another issuer is someone else.
  private func isSelf(_ other: EventPrincipal?) -> Bool {
    other?.id == principal.id && other?.issuerPin == principal.issuerPin
  }
}
