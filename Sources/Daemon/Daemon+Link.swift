internal import Calls
internal import Crypto
internal import DaemonWire
internal import EventLoop
internal import LogLines
internal import RPC
internal import Sandbox
internal import TLS

/// The way to the plane: dialling, `Connect`, renewal.
extension Daemon {
  // MARK: Dialling

  /// Makes a link, unless one is being made. It takes the place of the current one.
  func dial() {
    guard dialing == nil, !isStopping else { return }
    if let redialTimer { loop.cancel(redialTimer) }
    redialTimer = nil
    // Ends with the attempt, which has time limits of its own. It stays on the loop: the threads that
    // Swift would make otherwise look for each other in `/proc`, and end the process without it.
    dialing = Task(executorPreference: loop) { [self] in await attempt() }
  }

  private func attempt() async {
    do {
      let identity = try await haveIdentity()
      let address = try planeAddress(identity)
      let tls = try TLSContext.client(
        identity: identity.tls,
        authoritiesPEM: identity.authoritiesPEM
      )
      let connection = try await Connection.connect(
        to: address,
        tls: tls,
        on: loop,
        identification: .pinned(to: options.pins)
      )
      dialing = nil
      do {
        try open(connection)
      } catch {
        // Refused here, for its key is not a pinned one; the peer holds it open for ever.
        close(connection)
        throw error
      }
    } catch {
      dialing = nil
      failed(error)
    }
  }

  private func haveIdentity() async throws -> DaemonIdentity {
    if let identity, identity.notAfter > WallClock.seconds { return identity }
    let identity = try await Enrollment(options: options, store: store).run(on: loop)
    self.identity = identity
    log("enrolled", ["plane": identity.planeAddress])
    return identity
  }

  private func planeAddress(_ identity: DaemonIdentity) throws -> HostPort {
    guard let address = options.plane ?? HostPort(identity.planeAddress) else {
      throw DaemonOptions.Problem("the plane gave no address; give --plane HOST:PORT")
    }
    return address
  }

  /// No link came of it. What another attempt cannot mend ends the daemon.
  private func failed(_ error: any Error) {
    let reason = (error as? RPCStatus).map(explained) ?? "\(error)"
    log("dial_failed", ["error": reason], .warning)
    switch error {
    case let problem as DaemonOptions.Problem: end(problem)
    case let status as RPCStatus where identity == nil && status.code.isFinalForEnrollment:
      let another =
        status.message.hasPrefix("the join token")
        ? " (where the plane is: gatehouse workspace token NAME)" : ""
      end(DaemonOptions.Problem("the plane refused the enrollment: \(status.message)\(another)"))
    default: redialLater()
    }
  }

  /// Why there is no link, and what to mend.
  private func explained(_ status: RPCStatus) -> String {
    let dialled = identity.map { try? planeAddress($0) } ?? options.enrollAddress
    let remedy = dialled.flatMap { status.remedy(dialling: $0.host) }
    return remedy.map { "\(status); \($0)" } ?? "\(status)"
  }

  private func redialLater() {
    guard redialTimer == nil, dialing == nil, !isStopping else { return }
    var random = SecureRandom.Generator()
    let wait = backoff.next(random: &random)
    redialTimer = schedule(at: .now + wait) { daemon in
      daemon.redialTimer = nil
      daemon.dial()
    }
  }

  private func close(_ connection: Connection) {
    connection.assumeIsolated { $0.closeClient() }
  }

  private func open(_ connection: Connection) throws {
    guard !isStopping else { return connection.assumeIsolated { $0.closeClient() } }
    linksMade += 1
    let number = linksMade
    let call = try connection.assumeIsolated { connection in
      try connection.open(LinkMethod.connect) { ConnectHandler(self, link: number) }
    }
    let link = Link(number: number, connection: connection, connect: call)
    links[number] = link
    say(hello, on: link)
    sayInventory(on: link)
    tick(number)
    scheduleRenewal()
  }

  private var hello: ConnectRequest.Message {
    .hello(
      Hello(
        generation: 1,
        instanceId: instance.bytes,
        capabilities: CommandRequest.tools + FileTools.names + ["resume-received", "output-spill"]
          + FileTools.idempotent.map { "idempotent:\($0)" },
        maxCalls: UInt32(options.maxCalls),
        version: DaemonOptions.version
      )
    )
  }

  /// At most 64 KiB in a page: an id has up to 64 bytes, a digest 32.
  private static let callsPerPage = 512

  private func sayInventory(on link: Link) {
    var known = calls.inventory.map { call in
      KnownCall(
        callId: call.id,
        digest: live[call.id]?.digest ?? [],
        ended: call.isEnded,
        exit: live[call.id]?.exit?.inShort
      )
    }[...]
    repeat {
      let page = known.prefix(Self.callsPerPage)
      known = known.dropFirst(Self.callsPerPage)
      say(.inventory(Inventory(calls: Array(page), last: known.isEmpty)), on: link)
    } while !known.isEmpty
    for id in calls.unattached {
      say(.unclaimed(Unclaimed(callId: id, reason: "this link is new")), on: link)
    }
  }

  /// Says something on a link's `Connect`.
  func say(_ message: ConnectRequest.Message, on link: Link) {
    do {
      link.connect.send(try ConnectRequest(message: message).encoded())
    } catch {
      preconditionFailure("ours to say, and yet \(error)")
    }
  }

  // MARK: Connect

  func connectReceived(_ bytes: [UInt8], on number: Int) {
    guard let link = links[number] else { return }
    link.liveness.heard(at: .now)
    do {
      switch try ConnectResponse(decoding: bytes).message {
      case .welcome(let welcome): welcomed(welcome, on: link)
      case .offer(let offer): offered(offer, on: link)
      case .resume(let resume): resumed(resume, on: link)
      case .cancel(let cancel): endInTime(cancel.callId, .cancel)
      case .heartbeat: break
      case .drain(let drain):
        log("drain", ["reason": drain.reason])
        dial()
      case .forget(let forget):
        for id in forget.callIds { endInTime(id, .forget) }
      // A later generation's message.
      case nil: break
      }
    } catch {
      log("bad_message", ["error": "\(error)"], .warning)
      link.connect.cancel()
    }
  }

  private func welcomed(_ welcome: Welcome, on link: Link) {
    guard link.epoch == nil else { return }
    link.epoch = SessionEpoch(welcome.sessionEpoch)
    if welcome.heartbeatMs > 0 {
      // Whatever the plane says, neither a flood nor a link that is never missed.
      let interval = min(max(welcome.heartbeatMs, 100), 600_000)
      link.liveness = Liveness(now: .now, interval: .milliseconds(interval))
    }
    tick(link.number)
    log(
      "link_up",
      [
        "workspace": welcome.workspaceId, "name": welcome.workspaceName,
        "epoch": "\(welcome.sessionEpoch)",
      ]
    )
    // Starting took more of the program than being idle does. A second later the link is quiet.
    if link.number == 1 {
      survey.prepare()
      _ = schedule(at: .now + .seconds(1)) { _ in ThisProcess.forgetStart() }
    }
    let old = current.flatMap { links[$0] }
    current = link.number
    if let old { retire(old) }
  }

  func connectEnded(_ status: RPCStatus, on number: Int) {
    guard let link = links.removeValue(forKey: number) else { return }
    if let timer = link.heartbeatTimer { loop.cancel(timer) }
    link.connection.assumeIsolated { $0.closeClient() }
    log("link_down", ["link": "\(number)", "reason": explained(status)])
    if current == number { current = nil }
    // The plane has no such workspace, and never will again: ids are not used twice.
    if status.code == .notFound { return end(DaemonOptions.Problem(status.message)) }
    backoff.linkEnded(after: .now - link.openedAt)
    if isStopping { return stopIfDone() }
    if !link.isRetiring { redialLater() }
  }

  private func tick(_ number: Int) {
    guard let link = links[number] else { return }
    if let timer = link.heartbeatTimer { loop.cancel(timer) }
    switch link.liveness.tick(at: .now) {
    case .nothing: break
    case .send(let sequence): say(.heartbeat(Heartbeat(sequence: sequence)), on: link)
    case .dead:
      log("link_silent", ["link": "\(number)"], .warning)
      return link.connect.cancel()
    }
    link.heartbeatTimer = schedule(at: link.liveness.wakeAt) { $0.tick(number) }
  }

  // MARK: Giving up a link

  /// Lets a link go when the calls on it have ended or moved.
  private func retire(_ link: Link) {
    link.isRetiring = true
    closeIfUnused(link.number)
  }

  func closeIfUnused(_ number: Int) {
    guard let link = links[number], link.isRetiring,
      !live.values.contains(where: { $0.carry?.link == number })
    else { return }
    link.connect.halfClose()
  }

  // MARK: Renewal

  private func scheduleRenewal() {
    guard let identity else { return }
    renew(in: .seconds(max(1, identity.renewAt - WallClock.seconds)))
  }

  private func renew(in wait: Duration) {
    if let renewalTimer { loop.cancel(renewalTimer) }
    renewalTimer = schedule(at: .now + wait) { $0.renew() }
  }

  private static let renewalRetry = Duration.seconds(60)

  private func renew() {
    renewalTimer = nil
    guard !isStopping else { return }
    guard let link = current.flatMap({ links[$0] }), let identity else {
      return renew(in: Self.renewalRetry)
    }
    // Ends with the unary call, which has a time limit.
    let connection = link.connection
    Task(executorPreference: loop) { [self] in await renew(identity, on: connection) }
  }

  private func renew(_ old: DaemonIdentity, on connection: Connection) async {
    do {
      let key = try store.makeKey()
      let request = RenewRequest(csrDer: try CertificateRequest(for: key).der)
      let answer = try await connection.unary(LinkMethod.renew, request.encoded())
      let response = try RenewResponse(decoding: answer)
      let identity = try old.renewed(key: key, certificatesDER: response.certificatesDer)
      try store.save(identity)
      self.identity = identity
      log("renewed", ["until": "\(identity.notAfter)"])
      dial()
    } catch {
      log("renewal_failed", ["error": "\(error)"], .error)
      renew(in: Self.renewalRetry)
    }
  }
}

extension RPCStatus.Code {
  /// Another attempt to enroll with the same token would end the same way.
  fileprivate var isFinalForEnrollment: Bool {
    self == .unauthenticated || self == .invalidArgument || self == .permissionDenied
  }
}
