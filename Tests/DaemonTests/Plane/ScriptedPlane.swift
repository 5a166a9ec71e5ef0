import Calls
import Crypto
import DaemonWire
import EventLoop
import RPC
import TLS
import TestSupport

@testable import Daemon

/// A plane that does what a test says, on real sockets.
final class ScriptedPlane: Sendable {
  let pki: TestPKI
  let loop: EventLoop
  let mutual: Server
  let open: Server
  let state = Watched(PlaneState())

  static let token = "token-1"

  init() async throws {
    pki = try TestPKI()
    loop = try EventLoop(name: "test plane")
    let address = try SocketAddress.resolve("127.0.0.1", port: 0)[0]
    let (links, enrollments) = (Box<ScriptedPlane>(), Box<ScriptedPlane>())
    mutual = try Server(
      on: loop,
      at: address,
      tls: pki.mutualServer(),
      service: Self.linkService(links),
      identification: Identification { _ in
        .success(.init(identity: nil, validFor: nil))
      }
    )
    open = try Server(
      on: loop,
      at: address,
      tls: .server(identity: pki.server(), clientAuthoritiesPEM: nil),
      service: Self.enrollmentService(enrollments)
    )
    links.set(self)
    enrollments.set(self)
    try await mutual.start()
    try await open.start()
  }

  func close() async {
    await mutual.close(RPCStatus(.unavailable, "the test is over"))
    await open.close(RPCStatus(.unavailable, "the test is over"))
    loop.stop()
  }

  // MARK: Services

  private static func linkService(_ plane: Box<ScriptedPlane>) -> Service {
    var service = Service()
    service.handle(LinkMethod.connect) { call in
      if let refusal = plane.value.state.value.refusal { throw refusal }
      return PlaneLink(plane.value, call)
    }
    service.handle(LinkMethod.carry) { call in try plane.value.carry(call) }
    service.unary(LinkMethod.renew) { request, _ in
      let request = try RenewRequest(decoding: request)
      let certificate = try plane.value.issue(request.csrDer, lifetime: .seconds(3_600))
      plane.value.state.change { $0.renewals += 1 }
      return try RenewResponse(certificatesDer: [certificate.der]).encoded()
    }
    return service
  }

  private static func enrollmentService(_ plane: Box<ScriptedPlane>) -> Service {
    var service = Service()
    service.unary("/gatehouse.link.v1.Enrollment/Enroll") { request, _ in
      try plane.value.enroll(EnrollRequest(decoding: request)).encoded()
    }
    return service
  }

  private func enroll(_ request: EnrollRequest) throws -> EnrollResponse {
    let lifetime = state.change { state -> Duration? in
      guard request.token == Self.token, !state.isTokenUsed else { return nil }
      state.isTokenUsed = true
      return state.firstLifetime
    }
    guard let lifetime else {
      throw RPCStatus(.unauthenticated, "the token is unknown, used, or too old")
    }
    return EnrollResponse(
      certificatesDer: [try issue(request.csrDer, lifetime: lifetime).der],
      authoritiesDer: [pki.issuer.certificate.der],
      identity: "spiffe://test/workspace/ws_1",
      planeAddress: "127.0.0.1:\(mutual.address.port)"
    )
  }

  private func issue(_ csr: [UInt8], lifetime: Duration) throws -> Certificate {
    let template = CertificateTemplate(
      commonName: "ws_1",
      names: [.uri("spiffe://test/workspace/ws_1")],
      usages: [.client],
      lifetime: lifetime
    )
    return try pki.issuer.issue(
      template,
      for: CertificateRequest(der: csr).publicKey,
      at: TestPKI.now
    )
  }

  private func carry(_ call: ServerCall) throws -> PlaneCarry {
    guard let id = call.metadata["gatehouse-call"],
      let ticket = call.metadata.bytes("gatehouse-ticket-bin")
    else { throw RPCStatus(.invalidArgument, "metadata is missing") }
    let isFull = state.change { state in
      if state.isFull, state.fullSince == nil { state.fullSince = .now }
      return state.isFull
    }
    guard !isFull else { throw RPCStatus(.resourceExhausted, "too many streams are open") }
    let isGood = state.change { state in
      guard state.calls[id]?.ticket == ticket else { return false }
      state.calls[id]?.ticket = nil
      state.calls[id]?.carries += 1
      state.calls[id]?.carry = call
      return true
    }
    guard isGood else { throw RPCStatus(.notFound, "the ticket does not match") }
    return PlaneCarry(self, id)
  }

  // MARK: What a test says

  /// Says something on the newest link.
  func say(_ message: ConnectResponse.Message) throws {
    let bytes = try ConnectResponse(message: message).encoded()
    guard let link = state.value.links.last?.call else { return }
    loop.execute { link.send(bytes) }
  }

  /// Says something on a call's carry.
  func say(_ message: CarryResponse.Message, to id: String) throws {
    let bytes = try CarryResponse(message: message).encoded()
    guard let carry = state.value.calls[id]?.carry else { return }
    loop.execute { carry.send(bytes) }
  }

  func write(_ text: String, at offset: UInt64, to id: String) throws {
    let chunk = DaemonWire.Chunk(stream: .stdin, offset: offset, data: Array(text.utf8))
    try say(.chunk(chunk), to: id)
  }

  /// A new ticket for a call.
  func ticket(for id: String) -> [UInt8] {
    let ticket = SecureRandom.bytes(16)
    state.change { $0.calls[id, default: CallRecord()].ticket = ticket }
    return ticket
  }

  @discardableResult
  func offer(
    _ id: String,
    _ tool: String,
    _ request: some WireMessage,
    deadline: Duration = .seconds(3_600),
    inOffer isWhole: Bool = true
  ) throws -> Offer {
    let bytes = try request.encoded()
    let offer = Offer(
      callId: id,
      ticket: ticket(for: id),
      digest: SHA256.hash(RequestDigest.input(tool: tool, request: bytes)),
      deadlineMs: UInt64(deadline / .milliseconds(1)),
      tool: tool,
      request: isWhole ? bytes : [],
      requestBytes: UInt64(bytes.count)
    )
    try say(.offer(offer))
    return offer
  }

  func offer(_ id: String, script: String, deadline: Duration = .seconds(3_600)) throws {
    let request = ExecRequest(
      argv: ["/bin/sh", "-c", script].map { Array($0.utf8) },
      stdin: true
    )
    try offer(id, "process.exec", request, deadline: deadline)
  }

  /// Waits until a call has made a file in the workspace, by another call.
  func waitForFile(_ name: String) async throws {
    try offer("call_wait", script: "while [ ! -e \(name) ]; do sleep 0.05; done")
    _ = try await ended("call_wait")
  }

  /// Resumes a call after what arrived of it.
  func resume(_ id: String) throws {
    try resume(id, with: ticket(for: id))
  }

  func resume(_ id: String, with ticket: [UInt8]) throws {
    let arrived = state.value.calls[id]?.output ?? [:]
    try say(
      .resume(
        Resume(
          callId: id,
          ticket: ticket,
          acknowledged: arrived.map {
            StreamOffset(stream: .init(rawValue: $0.key), offset: UInt64($0.value.count))
          }
        )
      )
    )
  }

  /// Cuts the connections; what is under way to the plane is lost.
  func cut() async {
    state.change { $0.isDeaf = true }
    await mutual.endConnections(RPCStatus(.unavailable, "cut")) { _ in true }
    state.change { $0.isDeaf = false }
  }

  @discardableResult
  func linked(_ count: Int) async -> PlaneState {
    await state.wait { $0.links.count >= count }
  }

  /// Waits for a call's exit.
  func ended(_ id: String) async throws -> CallRecord {
    let state = await state.wait { $0.calls[id]?.exit != nil }
    return state.calls[id] ?? CallRecord()
  }
}

/// Set once, when what it holds is made.
final class Box<Value: AnyObject & Sendable>: Sendable {
  private let held = Watched<Value?>(nil)

  func set(_ value: Value) { held.change { $0 = value } }

  var value: Value {
    guard let value = held.value else { preconditionFailure("used before it was set") }
    return value
  }
}

/// All that a plane has seen.
struct PlaneState: Sendable {
  struct Link: Sendable {
    let call: ServerCall
    let hello: Hello
    let inventory: [KnownCall]
  }

  var links: [Link] = []
  var linksEnded = 0
  /// What `Connect` is answered with instead of a link.
  var refusal: RPCStatus?
  var calls: [String: CallRecord] = [:]
  var refused: [Refused] = []
  var unclaimed: [String] = []
  var heartbeats = 0
  /// As a plane says it; a machine that is busy with other tests is late for much less.
  var heartbeatMs: UInt32 = 600_000
  var renewals = 0
  var isTokenUsed = false
  var firstLifetime: Duration = .seconds(3_600)
  var isDeaf = false
  /// Credit is held back, as for an owner who has stopped reading.
  var isStalled = false
  /// Refuses streams for calls, and since when it did.
  var isFull = false
  var fullSince: ContinuousClock.Instant?
}

struct CallRecord: Sendable {
  var ticket: [UInt8]?
  var carries = 0
  var carry: ServerCall?
  var opened: [Opened] = []
  /// By stream.
  var output: [Int32: [UInt8]] = [:]
  var gaps: [Gap] = []
  var inputTaken: UInt64 = 0
  /// What came before the exit, on each stream.
  var effects: [Effects] = []
  var exit: Exit?
  /// Chunks that did not follow on what was there.
  var violations = 0

  var text: String {
    String(decoding: output[DaemonWire.Stream.stdout.rawValue] ?? [], as: UTF8.self)
  }
}

/// The plane's end of a `Connect`.
private final class PlaneLink: ServerHandler {
  private let plane: ScriptedPlane
  private var hello: Hello?
  private var known: [KnownCall] = []

  init(_ plane: ScriptedPlane, _ call: ServerCall) { self.plane = plane }

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    call.credit(credit)
    switch try? ConnectRequest(decoding: message).message {
    case .hello(let hello):
      self.hello = hello
      let epoch = plane.state.change { state in state.links.count + 1 }
      let welcome = Welcome(
        sessionEpoch: UInt64(epoch),
        generation: 1,
        heartbeatMs: plane.state.value.heartbeatMs,
        ticketMs: 10_000,
        maxCalls: 64,
        workspaceId: "ws_1",
        workspaceName: "a1"
      )
      if let bytes = try? ConnectResponse(message: .welcome(welcome)).encoded() { call.send(bytes) }
    case .inventory(let page):
      known += page.calls
      guard page.last, let hello else { return }
      let link = PlaneState.Link(call: call, hello: hello, inventory: known)
      plane.state.change { $0.links.append(link) }
    case .heartbeat: plane.state.change { $0.heartbeats += 1 }
    case .refused(let refused): plane.state.change { $0.refused.append(refused) }
    case .unclaimed(let unclaimed): plane.state.change { $0.unclaimed.append(unclaimed.callId) }
    case nil: break
    }
    if let beat = try? ConnectResponse(message: .heartbeat(Heartbeat(sequence: 1))).encoded() {
      call.send(beat)
    }
  }

  func halfClosed(_ call: ServerCall) { call.finish(.ok) }

  func ended(_ status: RPCStatus, _ call: ServerCall) { plane.state.change { $0.linksEnded += 1 } }
}

/// The plane's end of a `Carry`.
private final class PlaneCarry: ServerHandler {
  private let plane: ScriptedPlane
  private let id: String

  init(_ plane: ScriptedPlane, _ id: String) {
    self.plane = plane
    self.id = id
  }

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    if !plane.state.value.isStalled { call.credit(credit) }
    guard !plane.state.value.isDeaf, let message = try? CarryRequest(decoding: message).message
    else { return }
    plane.state.change { $0.calls[id, default: CallRecord()].take(message) }
    acknowledge(message, on: call)
  }

  private func acknowledge(_ message: CarryRequest.Message, on call: ServerCall) {
    guard case .chunk(let chunk) = message else { return }
    let end = chunk.offset + UInt64(chunk.data.count)
    let ack = Ack(offsets: [StreamOffset(stream: chunk.stream, offset: end)])
    if let bytes = try? CarryResponse(message: .ack(ack)).encoded() { call.send(bytes) }
  }

  func halfClosed(_ call: ServerCall) { call.finish(.ok) }

  func ended(_ status: RPCStatus, _ call: ServerCall) {}
}

extension CallRecord {
  fileprivate mutating func take(_ message: CarryRequest.Message) {
    switch message {
    case .chunk(let chunk):
      let stream = chunk.stream.rawValue
      let lost = gaps.filter { $0.stream == chunk.stream }.reduce(0) { $0 + Int($1.length) }
      if output[stream, default: []].count + lost != Int(chunk.offset) { violations += 1 }
      output[stream, default: []] += chunk.data
    case .gap(let gap): gaps.append(gap)
    case .effects(let effects): if exit == nil { self.effects.append(effects) }
    case .exit(let exit): self.exit = exit
    case .opened(let opened): self.opened.append(opened)
    case .ack(let ack): inputTaken = ack.offsets.first?.offset ?? 0
    }
  }
}
