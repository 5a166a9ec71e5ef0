internal import Crypto
internal import Identity
internal import Ledger

extension Principal {
  /// As it was when the event was made. Groups are not kept: what asks for them is decided anew.
  convenience init?(_ recorded: EventPrincipal) {
    guard let id = SPIFFEID(recorded.id) else { return nil }
    self.init(
      id: id,
      issuerPin: recorded.issuerPin.map { "sha256//\(Base64.encode($0.bytes))" } ?? "",
      certificatePin: recorded.keyPin.map { "sha256//\(Base64.encode($0.bytes))" } ?? ""
    )
  }
}
