internal import Crypto
internal import Identity
internal import RPC

/// Who may come in on the mutual listener.
struct PeerIdentification: Sendable {
  let mapper: PrincipalMapper
  let registry: WorkspaceRegistry
  /// Seconds since 1970.
  let clock: @Sendable () -> Int64

  /// Maps each connection's chain to a `Principal`, which is `Peer.identity`; the connection ends
  /// when the certificate does.
  var identification: Identification {
    Identification { chain in
      do throws(RPCStatus) {
        return .success(try identify(chain))
      } catch {
        return .failure(error)
      }
    }
  }

  private func identify(_ chain: [[UInt8]]) throws(RPCStatus) -> Identification.Identified {
    let now = clock()
    let certificates = try read(chain)
    switch mapper.map(certificates, at: now) {
    case .failure(let refusal): throw RPCStatus(.unauthenticated, refusal.description)
    case .success(let principal):
      try checkWorkspace(principal)
      let left = certificates[0].notAfter - now
      return Identification.Identified(
        identity: principal,
        validFor: .seconds(left),
        name: principal.description
      )
    }
  }

  /// A certificate outlives a workspace that is deleted; it opens nothing then.
  private func checkWorkspace(_ principal: Principal) throws(RPCStatus) {
    guard principal.kind == .workspace else { return }
    guard let record = registry.record(principal.name) else {
      // Not UNAUTHENTICATED, which a stopped one gets: its daemon need not come again.
      throw RPCStatus(.notFound, "workspace \(principal.name) was deleted")
    }
    guard !record.isStopped else {
      throw RPCStatus(.unauthenticated, "workspace '\(record.name)' is stopped; start it first")
    }
    guard !record.hasLinked else { return }
    let registry = registry
    // Ends when it is on disk; what cannot be written is tried at the next connection.
    Task { try? await registry.update(record.id) { $0.hasLinked = true } }
  }

  private func read(_ chain: [[UInt8]]) throws(RPCStatus) -> [Certificate] {
    var certificates: [Certificate] = []
    // The leaf and its issuer are all that counts.
    for der in chain.prefix(2) {
      do throws(CryptoError) {
        certificates.append(try Certificate(der: der))
      } catch {
        throw RPCStatus(.unauthenticated, "the client certificate: \(error)")
      }
    }
    return certificates
  }
}

extension Permissions {
  /// Asks the table for each call that comes in on `listener`.
  func authorization(on listener: Listener) -> Authorization {
    Authorization { call in
      let principal: Result<Principal, MappingRefusal> =
        (call.peer.identity as? Principal).map { .success($0) } ?? .failure(.noCertificate)
      switch decide(call.path, on: listener, by: principal) {
      case .allowed: return
      case .notServed(let reason): throw RPCStatus(.unimplemented, reason)
      case .unauthenticated(let reason): throw RPCStatus(.unauthenticated, reason)
      case .denied(let reason): throw RPCStatus(.permissionDenied, reason)
      }
    }
  }
}

extension ServerCall {
  /// Who calls; for methods that the table opens to principals only.
  var principal: Principal {
    get throws {
      guard let principal = peer.identity as? Principal else {
        throw RPCStatus(.unauthenticated, MappingRefusal.noCertificate.description)
      }
      return principal
    }
  }
}
