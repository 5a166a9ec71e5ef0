internal import Crypto
internal import Host
internal import Identity
internal import PlanePKI
internal import RPC
internal import TLS

/// What a plane checks, so that what is measured does it too.

extension Identification {
  /// Maps each connection's certificate to a principal.
  static func principals(_ pki: PlanePKI) -> Identification {
    let mapper = PrincipalMapper(issuers: pki.issuers)
    return Identification { chain in
      let certificates = chain.compactMap { try? Certificate(der: $0) }
      return mapper.map(certificates, at: ThisProcess.unixTime)
        .map { Identified(identity: $0, validFor: nil) }
        .mapError { RPCStatus(.unauthenticated, $0.description) }
    }
  }
}

extension Authorization {
  /// Decides each call by the plane's table; `method` stands for methods that are not in it.
  static func table(for method: String? = nil) -> Authorization {
    Authorization { try decide(method ?? $0.path, $0) }
  }

  private static func decide(_ method: String, _ call: ServerCall) throws {
    guard let principal = call.peer.identity as? Principal else {
      throw RPCStatus(.unauthenticated, "no client certificate was sent")
    }
    switch Permissions.standard.decide(method, on: .mutual, by: .success(principal)) {
    case .allowed: return
    case .notServed(let reason): throw RPCStatus(.unimplemented, reason)
    case .unauthenticated(let reason): throw RPCStatus(.unauthenticated, reason)
    case .denied(let reason): throw RPCStatus(.permissionDenied, reason)
    }
  }
}

extension PlanePKI {
  /// The mutual listener's TLS.
  func serverContext() throws -> TLSContext {
    try TLSContext.server(
      identity: TLSIdentity(
        chainPEM: serverChain.map { try $0.pem }.joined(),
        keyPEM: serverKey.pem
      ),
      clientAuthoritiesPEM: clientAuthorities.map { try $0.pem }.joined()
    )
  }
}
