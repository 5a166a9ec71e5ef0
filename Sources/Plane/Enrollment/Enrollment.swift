internal import Crypto
internal import EventLoop
internal import FoundationEssentials
internal import Logging
internal import Identity
internal import PlanePKI
internal import RPC
internal import SwiftProtobuf
internal import Synchronization
internal import Wire

/// Turns join tokens and certificate requests into certificates: services `Enrollment` and
/// `Link.Renew`.
final class Enrollment: Sendable {
  private let pki: PlanePKI
  private let registry: WorkspaceRegistry
  private let counters: PlaneCounters
  /// Seconds since 1970.
  private let clock: @Sendable () -> Int64
  private let listeners: Listeners
  private let state: Mutex<State>

  private struct State {
    var tokens = JoinTokens()
    var limiter = RateLimiter(
      // A person who mistypes, or a fleet behind one address that starts at once.
      each: .init(burst: 20, interval: .seconds(1)),
      // An ECDSA check and signature each: about a tenth of one core.
      all: .init(burst: 400, interval: .milliseconds(5)),
      at: .now
    )
  }

  init(
    pki: PlanePKI,
    registry: WorkspaceRegistry,
    listeners: Listeners,
    counters: PlaneCounters,
    clock: @escaping @Sendable () -> Int64
  ) {
    self.pki = pki
    self.registry = registry
    self.listeners = listeners
    self.counters = counters
    self.clock = clock
    state = Mutex(State())
  }

  /// A new token that makes `bearer`, once, within ten minutes.
  func makeToken(for bearer: JoinTokens.Bearer) throws(PlaneError) -> String {
    let token = JoinTokens.makeToken()
    let isAdded = state.withLock { state in
      (try? state.tokens.add(token, for: bearer, at: clock())) != nil
    }
    guard isAdded else {
      throw PlaneError(
        .resourceExhausted,
        "too many join tokens are out; try again when some have ended"
      )
    }
    return token
  }

  func revokeTokens(for bearer: JoinTokens.Bearer) {
    state.withLock { $0.tokens.revoke(bearer) }
  }

  /// What the open listener serves.
  var openService: Service {
    var service = Service()
    service.answer("/gatehouse.link.v1.Enrollment/Enroll") {
      (request: Gatehouse_Link_V1_EnrollRequest, call) -> Gatehouse_Link_V1_EnrollResponse in
      let made = try self.enroll(request.token, Array(request.csrDer), from: call.peer) { bearer in
        if case .workspace = bearer { true } else { false }
      }
      return .with {
        $0.certificatesDer = made.chain.map { Data($0) }
        $0.authoritiesDer = made.authorities.map { Data($0) }
        $0.identity = made.identity
        $0.planeAddress = self.listeners.bound.addresses.mutual.description
      }
    }
    service.answer("/gatehouse.link.v1.Enrollment/Login") {
      (request: Gatehouse_Link_V1_LoginRequest, call) -> Gatehouse_Link_V1_LoginResponse in
      let made = try self.enroll(request.token, Array(request.csrDer), from: call.peer) { bearer in
        if case .user = bearer { true } else { false }
      }
      return .with {
        $0.certificatesDer = made.chain.map { Data($0) }
        $0.authoritiesDer = made.authorities.map { Data($0) }
        $0.identity = made.identity
        $0.planeAddress = self.listeners.bound.addresses.mutual.description
      }
    }
    return service
  }

  /// What the mutual listener serves.
  var mutualService: Service {
    var service = Service()
    service.answer("/gatehouse.link.v1.Link/Renew") {
      (request: Gatehouse_Link_V1_RenewRequest, call) -> Gatehouse_Link_V1_RenewResponse in
      let id = try call.principal.id
      let chain = try self.certify(id, self.read(Array(request.csrDer)))
      return .with { $0.certificatesDer = chain.map { Data($0) } }
    }
    return service
  }

  private typealias Made = (chain: [[UInt8]], authorities: [[UInt8]], identity: String)

  private func enroll(
    _ token: String,
    _ csr: [UInt8],
    from peer: Peer,
    expecting: (JoinTokens.Bearer) -> Bool
  ) throws(PlaneError) -> Made {
    try limit(peer)
    // Before the token is used up: a mistake in the request must not cost it.
    let request = try read(csr)
    let bearer = try redeem(token, expecting: expecting)
    let id = try identity(of: bearer)
    counters.enrolled()
    Plane.log.info("enrolled", metadata: ["identity": "\(id)"])
    return (try certify(id, request), [pki.authority.der], id.description)
  }

  private func limit(_ peer: Peer) throws(PlaneError) {
    // Without the port, which each connection has anew.
    let host = peer.address.lastIndex(of: ":").map { String(peer.address[..<$0]) } ?? ""
    guard state.withLock({ $0.limiter.allows(host, at: .now) }) else {
      counters.enrollmentRefused()
      throw PlaneError(.resourceExhausted, "too many attempts; try again in a second")
    }
  }

  private func redeem(
    _ token: String,
    expecting: (JoinTokens.Bearer) -> Bool
  ) throws(PlaneError) -> JoinTokens.Bearer {
    let result = state.withLock { state in
      Result { () throws(JoinTokens.Refusal) in try state.tokens.redeem(token, at: clock()) }
    }
    switch result {
    case .success(let bearer) where expecting(bearer): return bearer
    case .success:
      throw refusal("the join token is not for this method; ask for a new one")
    case .failure(.used): throw refusal("the join token was used; ask for a new one")
    case .failure(.expired): throw refusal("the join token is too old; ask for a new one")
    case .failure: throw refusal("the join token is unknown; ask for a new one")
    }
  }

  private func refusal(_ reason: String) -> PlaneError {
    counters.enrollmentRefused()
    Plane.log.info("enrollment_refused", metadata: ["reason": "\(reason)"])
    return PlaneError(.unauthenticated, reason)
  }

  private func identity(of bearer: JoinTokens.Bearer) throws(PlaneError) -> SPIFFEID {
    let id: SPIFFEID? =
      switch bearer {
      case .workspace(let id): SPIFFEID(pki.trustDomain, .workspace, id)
      case .user(let name): SPIFFEID(pki.trustDomain, .user, name)
      }
    guard let id else { throw PlaneError(.invalidArgument, "the token's name makes no identity") }
    guard id.kind != .workspace || registry.record(id.name) != nil else {
      throw refusal("the join token's workspace was deleted")
    }
    return id
  }

  private func read(_ der: [UInt8]) throws(PlaneError) -> CertificateRequest {
    do {
      return try CertificateRequest(der: der)
    } catch {
      throw PlaneError(.invalidArgument, error.description)
    }
  }

  private func certify(
    _ id: SPIFFEID,
    _ request: CertificateRequest
  ) throws(PlaneError) -> [[UInt8]] {
    do {
      return try pki.certify(id, request, at: clock()).map(\.der)
    } catch {
      throw PlaneError(.internalError, error.description)
    }
  }
}
