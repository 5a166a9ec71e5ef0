internal import Crypto
internal import Broker
internal import EventLoop
internal import Host
internal import Identity
internal import Ledger
internal import Logging
internal import Metrics
internal import PlanePKI
package import RPC
internal import Wire

/// What a plane consists of, put together.
struct PlaneParts: Sendable {
  let registry: WorkspaceRegistry
  let workspaces: Workspaces
  let chats: Chats
  let broker: Broker
  let health: Health
  let isReady = ReadyFlag()
  let recorder: Recorder
  private let audit: Audit
  private let refusals: RefusalRecorder
  private let enrollment: Enrollment
  private let counters = PlaneCounters()
  private let webhook: CheckpointWebhook?
  private let events = EventLog()
  private let spool: SpoolStore?
  private let disk: WorkerPool
  private let permissions = Permissions.standard

  init(
    _ configuration: PlaneConfiguration,
    _ folder: StateFolder,
    _ pki: PlanePKI,
    _ loop: EventLoop,
    _ disk: WorkerPool,
    _ listeners: Listeners,
    _ recorder: Recorder,
    _ webhook: CheckpointWebhook?
  ) throws(PlaneError) {
    self.recorder = recorder
    self.webhook = webhook
    self.disk = disk
    spool = Self.openSpool(in: folder, configuration.spool)
    refusals = RefusalRecorder(recorder)
    registry = try WorkspaceRegistry(file: WorkspaceFile(folder: folder), disk: disk)
    enrollment = Enrollment(
      pki: pki,
      registry: registry,
      listeners: listeners,
      counters: counters,
      recorder: recorder,
      refusals: refusals,
      clock: { ThisProcess.unixTime }
    )
    let daemons = LocalDaemons(
      folder: folder,
      program: try configuration.daemonPath(),
      authority: pki.authority,
      listeners: listeners,
      timeout: configuration.daemonTimeout,
      hiddenFiles: configuration.hiddenFiles,
      disk: disk,
      loop: loop
    )
    var options = configuration.broker
    options.observe = { [events] in events.record($0) }
    options.journal = LedgerJournal(recorder, refusals)
    options.life = recorder.ledger.life
    options.spool = spool
    let broker = Broker(on: loop, directory: registry, options: options)
    self.broker = broker
    chats = Chats(
      in: folder,
      disk: disk,
      broker: broker,
      registry: registry,
      models: configuration.models,
      counters: counters,
      recorder: recorder,
      maxBytes: configuration.chatBytes
    )
    workspaces = Workspaces(
      registry: registry,
      daemons: daemons,
      enrollment: enrollment,
      broker: broker,
      listeners: listeners,
      recorder: recorder,
      clock: { ThisProcess.unixMilliseconds }
    )
    audit = Audit(
      reader: AuditReader(ledger: recorder.ledger),
      registry: registry,
      trustDomain: pki.trustDomain,
      stateFolder: folder.path,
      checkpointFile: configuration.checkpointFile ?? "",
      pool: WorkerPool(name: "audit", threads: 1, maxQueued: 4),
      forgetChat: { [chats] chat in
        await broker.eraseOutput(ofChat: chat)
        try await chats.forget(chat)
      }
    )
    health = Health(services: permissions.services)
  }

  /// Opens the three listeners and binds them.
  func open(
    _ configuration: PlaneConfiguration,
    _ pki: PlanePKI,
    on loop: EventLoop,
    binding listeners: Listeners
  ) throws {
    let tls = try ListenerTLS(pki)
    let identification = PeerIdentification(
      mapper: PrincipalMapper(issuers: pki.issuers),
      registry: registry,
      clock: { ThisProcess.unixTime }
    )
    let mutual = try Server(
      on: loop,
      at: configuration.listen.resolved(),
      tls: tls.mutual,
      service: configuration.interpose(mutualService(listeners)),
      identification: identification.identification,
      authorization: permissions.authorization(on: .mutual),
      limits: configuration.mutualLimits,
      observe: { [events, refusals] in
        events.record($0, on: "mutual")
        refusals.record($0)
      }
    )
    let open = try Server(
      on: loop,
      at: configuration.listenOpen.resolved(),
      tls: tls.open,
      service: openService,
      authorization: permissions.authorization(on: .open),
      limits: configuration.openLimits,
      observe: { [events, refusals] in
        events.record($0, on: "open")
        refusals.record($0)
      }
    )
    let probes = probes(mutual, open)
    let admin = try AdminListener(on: loop, at: configuration.listenAdmin.resolved()) {
      probes.answer($0)
    }
    let addresses = Plane.Addresses(
      mutual: configuration.listen.reached(at: mutual.address, as: configuration.hosts.first),
      open: configuration.listenOpen.reached(at: open.address, as: configuration.hosts.first),
      admin: configuration.listenAdmin.reached(at: admin.address),
      nearMutual: configuration.listen.reached(at: mutual.address),
      nearOpen: configuration.listenOpen.reached(at: open.address)
    )
    listeners.bind(.init(mutual: mutual, open: open, admin: admin, addresses: addresses))
  }

  /// Goes on with what an earlier plane left. Before anybody is served. `last`: the time of its last
  /// event, in microseconds since 1970.
  func takeOver(from last: Int64) async throws {
    let now = Int64(ThisProcess.unixMicroseconds)
    let found = await findSpools()
    var (calls, keys) = try await CallFold.inherited(
      from: recorder.ledger,
      now: now,
      keptOnDisk: found?.calls ?? []
    )
    if let found { calls = try await recover(calls, from: found, last) }
    let running = calls.count { $0.end == nil }
    if running > 0 { Plane.log.info("calls_taken_over", metadata: ["calls": "\(running)"]) }
    await broker.inherit(calls, keys: keys)
  }

  /// Where output of calls is kept; nil, and an error in the log, where that cannot be: the plane works
  /// without.
  private static func openSpool(in folder: StateFolder, _ options: SpoolOptions) -> SpoolStore? {
    guard options.allBytes > 0 else { return nil }
    do {
      return try SpoolStore(in: folder, options)
    } catch {
      Plane.log.error(
        "spool_not_usable",
        metadata: ["error": "\(error)", "effect": "output of calls is not kept on disk"]
      )
      return nil
    }
  }

  private func findSpools() async -> SpoolStore.Found? {
    guard let spool else { return nil }
    do {
      return try await disk.run { try spool.scan() }
    } catch {
      Plane.log.error("spool_not_readable", metadata: ["error": "\(error)"])
      return nil
    }
  }

  private func recover(
    _ calls: [InheritedCall],
    from found: SpoolStore.Found,
    _ last: Int64
  ) async throws -> [InheritedCall] {
    guard let spool else { return calls }
    return try await disk.run {
      var calls = calls
      for index in calls.indices {
        let isSettled = calls[index].isSettled(by: last)
        calls[index].spool = spool.recover(calls[index].id, in: found, isSettled: isSettled)
      }
      spool.settle(found, recovered: calls.compactMap(\.spool))
      return calls
    }
  }

  var openService: Service { Service(merging: [enrollment.openService, health.service]) }

  func mutualService(_ listeners: Listeners) -> Service {
    let served = Service(merging: [
      broker.service, enrollment.mutualService, workspaces.service(listeners),
      workspaces.linksService, chats.service, audit.service, health.service,
    ])
    return Service(merging: [served, reflection(of: served).service])
  }

  private func reflection(of service: Service) -> Reflection {
    // Generated code, which a test reads: it is both base64 and a descriptor set.
    guard let set = Base64.decode(descriptorSetBase64), let pool = try? DescriptorPool(set) else {
      preconditionFailure("the generated descriptor set is broken")
    }
    return Reflection(pool, services: service.serviceNames)
  }

  /// Answers on the loop that both servers are on.
  private func probes(_ mutual: Server, _ open: Server) -> Probes {
    var metrics = MetricsRegistry()
    metrics.add(mutual, named: "mutual")
    metrics.add(open, named: "open")
    metrics.add(broker)
    metrics.add { [registry] page in
      page.gauge("gatehouse_workspaces", "Workspaces there are.", registry.all.count)
    }
    metrics.add { [counters] page in counters.add(to: &page) }
    metrics.add(recorder.ledger)
    if let webhook { metrics.add { webhook.add(to: &$0) } }
    metrics.add(mutual.loop)
    metrics.addProcess()
    return Probes(
      isReady: { [isReady] in isReady.isSet },
      refusal: { [recorder] in recorder.ledger.failure.map(Recorder.refusal) },
      metrics: { [metrics] in metrics.page.text }
    )
  }
}

extension ConnectionLimits {
  /// For peers that nobody knows: a few small calls at once.
  package static var open: ConnectionLimits {
    var limits = ConnectionLimits()
    limits.maxConcurrentStreams = 16
    limits.connectionWindow = 256 << 10
    limits.maxMessageBytes = 64 << 10
    limits.resetBurst = 100
    limits.resetRate = 10
    limits.workBurst = 1_000
    limits.workRate = 100
    limits.maxUnstartedStreams = 16
    limits.maxQueuedBytes = 4 << 20
    limits.maxHeldBytes = 1 << 20
    limits.firstMessageTimeout = .seconds(10)
    limits.idleTimeout = .seconds(60)
    limits.listener.maxConnections = 1_024
    limits.listener.givesUpOldest = true
    limits.listener.maxConnectionsPerAddress = 256
    limits.listener.maxHandshakes = 256
    limits.listener.maxPartialBytesPerPeer = 4 << 20
    limits.listener.maxPartialBytes = 64 << 20
    limits.listener.maxQueuedBytesPerPeer = 16 << 20
    limits.listener.maxQueuedBytes = 128 << 20
    return limits
  }
}
