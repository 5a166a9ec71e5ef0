internal import Crypto
internal import Broker
internal import EventLoop
internal import Host
internal import Identity
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
  private let enrollment: Enrollment
  private let counters = PlaneCounters()
  private let events = EventLog()
  private let permissions = Permissions.standard

  init(
    _ configuration: PlaneConfiguration,
    _ folder: StateFolder,
    _ pki: PlanePKI,
    _ loop: EventLoop,
    _ disk: WorkerPool,
    _ listeners: Listeners
  ) throws(PlaneError) {
    registry = try WorkspaceRegistry(file: WorkspaceFile(folder: folder), disk: disk)
    enrollment = Enrollment(
      pki: pki,
      registry: registry,
      listeners: listeners,
      counters: counters,
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
    let broker = Broker(on: loop, directory: registry, options: options)
    self.broker = broker
    chats = Chats(
      broker: broker,
      registry: registry,
      models: configuration.models,
      counters: counters,
      maxBytes: configuration.chatBytes
    )
    workspaces = Workspaces(
      registry: registry,
      daemons: daemons,
      enrollment: enrollment,
      broker: broker,
      listeners: listeners,
      clock: { ThisProcess.unixMilliseconds }
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
      service: mutualService(listeners),
      identification: identification.identification,
      authorization: permissions.authorization(on: .mutual),
      limits: configuration.mutualLimits,
      observe: { [events] in events.record($0, on: "mutual") }
    )
    let open = try Server(
      on: loop,
      at: configuration.listenOpen.resolved(),
      tls: tls.open,
      service: openService,
      authorization: permissions.authorization(on: .open),
      limits: configuration.openLimits,
      observe: { [events] in events.record($0, on: "open") }
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

  var openService: Service { Service(merging: [enrollment.openService, health.service]) }

  func mutualService(_ listeners: Listeners) -> Service {
    let served = Service(merging: [
      broker.service, enrollment.mutualService, workspaces.service(listeners),
      workspaces.linksService, chats.service, health.service,
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
    metrics.add(mutual.loop)
    metrics.addProcess()
    return Probes(
      isReady: { [isReady] in isReady.isSet },
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
    limits.firstMessageTimeout = .seconds(10)
    limits.listener.maxConnections = 1_024
    limits.listener.maxConnectionsPerAddress = 256
    limits.listener.maxHandshakes = 256
    return limits
  }
}
