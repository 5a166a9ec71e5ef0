internal import Crypto
internal import PlanePKI
internal import TLS

/// What the two TLS listeners show and ask for.
struct ListenerTLS: Sendable {
  let mutual: TLSContext
  let open: TLSContext

  init(_ pki: PlanePKI) throws {
    let identity = TLSIdentity(
      chainPEM: try pki.serverChain.map { try $0.pem }.joined(),
      keyPEM: try pki.serverKey.pem
    )
    mutual = try .server(
      identity: identity,
      clientAuthoritiesPEM: try pki.clientAuthorities.map { try $0.pem }.joined()
    )
    open = try .server(identity: identity, clientAuthoritiesPEM: nil)
  }
}
