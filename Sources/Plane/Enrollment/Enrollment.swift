internal import Crypto
internal import EventLoop
internal import FoundationEssentials
internal import Logging
internal import Identity
internal import Ledger
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
  private let recorder: Recorder
  private let refusals: RefusalRecorder
  /// Seconds since 1970.
  private let clock: @Sendable () -> Int64
  private let listeners: Listeners
  private let began = ContinuousClock.now
  private let throttle = LogThrottle()
  private let state: Mutex<State>

  private struct State {
    /// As for links: each is recorded for good. A daemon renews when half of its certificate's life is over.
    var renewals = RateLimiter(
      each: .init(burst: 10, interval: .seconds(60)),
      all: .init(burst: 4_096, interval: .milliseconds(5)),
      maxNames: 65_536,
      at: .now
    )
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
    recorder: Recorder,
    refusals: RefusalRecorder,
    clock: @escaping @Sendable () -> Int64
  ) {
    self.pki = pki
    self.registry = registry
    self.listeners = listeners
    self.counters = counters
    self.recorder = recorder
    self.refusals = refusals
    self.clock = clock
    state = Mutex(State())
  }

  /// A new token that makes `bearer`, once, within ten minutes. Its making is on record by then.
  func makeToken(
    for bearer: JoinTokens.Bearer,
    by principal: Principal
  ) async throws(PlaneError) -> String {
    try await recorder.announce(tokenMade(for: bearer, by: EventPrincipal(principal)))
    return try addToken(for: bearer)
  }

  /// One for a daemon that the plane starts itself, and must start when nothing can be recorded too: its
  /// workspace's calls go on under it.
  func makeOwnToken(for bearer: JoinTokens.Bearer) throws(PlaneError) -> String {
    let token = try addToken(for: bearer)
    let event = tokenMade(for: bearer, by: recorder.plane)
    recorder.record { event }
    return token
  }

  private func addToken(for bearer: JoinTokens.Bearer) throws(PlaneError) -> String {
    let token = JoinTokens.makeToken()
    let isAdded = state.withLock { state in
      (try? state.tokens.add(token, for: bearer, at: age())) != nil
    }
    guard isAdded else {
      throw PlaneError(
        .resourceExhausted,
        "too many join tokens are out; try again when some have ended"
      )
    }
    return token
  }

  private func tokenMade(
    for bearer: JoinTokens.Bearer,
    by principal: EventPrincipal
  ) -> RecordedEvent {
    let identity = bearer.identity(in: pki.trustDomain)
    var workspace = ""
    if case .workspace(let id) = bearer { workspace = id }
    let end = clock() + JoinTokens.lifetimeSeconds
    return RecordedEvent(.tokenMade, by: principal, in: workspace) {
      $0.tokenMade = .with {
        $0.identity = identity?.description ?? ""
        $0.untilUnix = UInt64(clamping: end)
      }
    }
  }

  /// Seconds since this was made. Tokens die with the process, so what the clock is set to is nothing
  /// to them.
  private func age() -> Int64 { began.duration(to: .now).components.seconds }

  func revokeTokens(for bearer: JoinTokens.Bearer) {
    state.withLock { $0.tokens.revoke(bearer) }
  }

  /// What the open listener serves.
  var openService: Service {
    var service = Service()
    service.answer("/gatehouse.link.v1.Enrollment/Enroll") {
      (request: Gatehouse_Link_V1_EnrollRequest, call) -> Gatehouse_Link_V1_EnrollResponse in
      try await self.answer(request.token, request.csrDer, from: call.peer) { bearer in
        if case .workspace = bearer { true } else { false }
      }
    }
    service.answer("/gatehouse.link.v1.Enrollment/Login") {
      (request: Gatehouse_Link_V1_LoginRequest, call) -> Gatehouse_Link_V1_LoginResponse in
      try await self.answer(request.token, request.csrDer, from: call.peer) { bearer in
        if case .user = bearer { true } else { false }
      }
    }
    return service
  }

  /// What the mutual listener serves.
  var mutualService: Service {
    var service = Service()
    service.answer("/gatehouse.link.v1.Link/Renew") {
      (request: Gatehouse_Link_V1_RenewRequest, call) -> Gatehouse_Link_V1_RenewResponse in
      let chain = try await self.renew(call.principal, Array(request.csrDer), from: call.peer)
      return .with { $0.certificatesDer = chain.map { Data($0.der) } }
    }
    return service
  }

  private func answer<Answer: EnrollmentAnswer>(
    _ token: String,
    _ csr: Data,
    from peer: Peer,
    expecting: (JoinTokens.Bearer) -> Bool
  ) async throws(PlaneError) -> Answer {
    let made = try await enroll(token, Array(csr), from: peer, expecting: expecting)
    var answer = Answer()
    answer.certificatesDer = made.chain.map { Data($0) }
    answer.authoritiesDer = made.authorities.map { Data($0) }
    answer.identity = made.identity
    answer.planeAddress = listeners.bound.addresses.mutual.description
    return answer
  }

  private typealias Made = (chain: [[UInt8]], authorities: [[UInt8]], identity: String)

  private func enroll(
    _ token: String,
    _ csr: [UInt8],
    from peer: Peer,
    expecting: (JoinTokens.Bearer) -> Bool
  ) async throws(PlaneError) -> Made {
    let bearer = try look(token, from: peer, expecting: expecting)
    // Before the token is used up: a mistake in the request must not cost it.
    let request = try read(csr)
    try redeem(token, from: peer)
    let id = try identity(of: bearer, from: peer)
    let key = SHA256.hash(request.publicKey.der)
    let who = EventPrincipal(id: id.description, issuerPin: nil, keyPin: Hash256(key))
    let chain = try certify(id, request)
    // A token that is used up when this cannot be kept is asked for anew.
    try await announce(.enrolled, by: who, id, chain, key: key, from: peer)
    counters.enrolled()
    Plane.log.info("enrolled", metadata: ["identity": "\(id)"])
    return (chain.map(\.der), [pki.authority.der], id.description)
  }

  /// Another certificate for who has one, on record before it is handed out.
  private func renew(
    _ principal: Principal,
    _ csr: [UInt8],
    from peer: Peer
  ) async throws(PlaneError) -> [Certificate] {
    guard state.withLock({ $0.renewals.allows(principal.id.description, at: .now) }) else {
      throw PlaneError(.resourceExhausted, "renewed again and again; try again in a minute")
    }
    let request = try read(csr)
    let chain = try certify(principal.id, request)
    let key = SHA256.hash(request.publicKey.der)
    let who = EventPrincipal(principal)
    try await announce(.renewed, by: who, principal.id, chain, key: key, from: peer)
    return chain
  }

  private func announce(
    _ kind: EventKind,
    by who: EventPrincipal,
    _ id: SPIFFEID,
    _ chain: [Certificate],
    key: [UInt8],
    from peer: Peer
  ) async throws(PlaneError) {
    let made = Gatehouse_Ledger_V1_Enrolled.with {
      $0.identity = id.description
      $0.peer = peer.address
      $0.keyPin = Data(key)
      $0.serial = chain.first?.serial ?? ""
      $0.untilUnix = UInt64(clamping: chain.first?.notAfter ?? 0)
    }
    let workspace = id.kind == .workspace ? id.name : ""
    try await recorder.announce(
      RecordedEvent(kind, by: who, in: workspace) {
        if kind == .renewed { $0.renewed = made } else { $0.enrolled = made }
      }
    )
  }

  /// Whom the token makes. Whoever comes without a good one is counted, and limited: so nobody can
  /// keep those who have one from enrolling.
  private func look(
    _ token: String,
    from peer: Peer,
    expecting: (JoinTokens.Bearer) -> Bool
  ) throws(PlaneError) -> JoinTokens.Bearer {
    let now = age()
    let result = state.withLock { state in
      Result { () throws(JoinTokens.Refusal) in try state.tokens.look(token, at: now) }
    }
    switch result {
    case .success(let bearer) where expecting(bearer): return bearer
    case .success:
      // Still good for the other.
      throw refusal(
        "the join token is not for this method; a workspace's is for Enroll, a person's for Login",
        from: peer
      )
    case .failure(let reason):
      try limit(peer)
      throw refusal(reason, from: peer)
    }
  }

  private func redeem(_ token: String, from peer: Peer) throws(PlaneError) {
    let now = age()
    let result = state.withLock { state in
      Result { () throws(JoinTokens.Refusal) in _ = try state.tokens.redeem(token, at: now) }
    }
    if case .failure(let reason) = result { throw refusal(reason, from: peer) }
  }

  private func limit(_ peer: Peer) throws(PlaneError) {
    // Without the port, which each connection has anew.
    let host = HostPort(peer.address)?.host ?? ""
    let network = SocketAddress(numeric: host, port: 0)?.network ?? host
    guard state.withLock({ $0.limiter.allows(network, at: .now) }) else {
      counters.enrollmentRefused()
      throw PlaneError(.resourceExhausted, "too many attempts; try again in a second")
    }
  }

  private func refusal(_ reason: JoinTokens.Refusal, from peer: Peer) -> PlaneError {
    let what =
      switch reason {
      case .used: "was used"
      case .expired: "is too old"
      case .unknown, .tooMany: "is unknown"
      }
    return refusal("the join token \(what); ask for a new one", from: peer)
  }

  private func refusal(_ reason: String, from peer: Peer) -> PlaneError {
    refusals.record(enrollmentFrom: peer.address, reason)
    counters.enrollmentRefused()
    if case .yes(let suppressed) = throttle.allows("enrollment_refused", at: .now) {
      Plane.log.info(
        "enrollment_refused",
        metadata: ["reason": "\(reason)", "suppressed": "\(suppressed)"]
      )
    }
    return PlaneError(.unauthenticated, reason)
  }

  private func identity(
    of bearer: JoinTokens.Bearer,
    from peer: Peer
  ) throws(PlaneError) -> SPIFFEID {
    guard let id = bearer.identity(in: pki.trustDomain) else {
      throw PlaneError(.invalidArgument, "the token's name makes no identity")
    }
    guard id.kind != .workspace || registry.record(id.name) != nil else {
      throw refusal("the join token's workspace was deleted", from: peer)
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
  ) throws(PlaneError) -> [Certificate] {
    do {
      return try pki.certify(id, request, at: clock())
    } catch {
      throw PlaneError(.internalError, error.description)
    }
  }
}

extension JoinTokens.Bearer {
  /// Nil when the name makes none.
  fileprivate func identity(in trustDomain: TrustDomain) -> SPIFFEID? {
    switch self {
    case .workspace(let id): SPIFFEID(trustDomain, .workspace, id)
    case .user(let name): SPIFFEID(trustDomain, .user, name)
    }
  }
}

/// What a daemon and a person are told alike.
private protocol EnrollmentAnswer {
  var certificatesDer: [Data] { get set }
  var authoritiesDer: [Data] { get set }
  var identity: String { get set }
  var planeAddress: String { get set }

  init()
}

extension Gatehouse_Link_V1_EnrollResponse: EnrollmentAnswer {}

extension Gatehouse_Link_V1_LoginResponse: EnrollmentAnswer {}
