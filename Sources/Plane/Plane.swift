package import EventLoop
internal import Broker
internal import Host
internal import Logging
internal import PlanePKI
internal import RPC
internal import Synchronization

/// A running plane: its listeners, services and workspaces.
package final class Plane: Sendable {
  /// Where it is reached; the ports are the real ones.
  package struct Addresses: Sendable, CustomStringConvertible {
    package let mutual: HostPort
    package let open: HostPort
    package let admin: HostPort
    /// The same on this machine, whatever the plane is called elsewhere.
    package let nearMutual: HostPort
    package let nearOpen: HostPort

    package var description: String { "listen=\(mutual) open=\(open) admin=\(admin)" }

    var metadata: Logger.Metadata {
      ["listen": "\(mutual)", "open": "\(open)", "admin": "\(admin)"]
    }
  }

  package var addresses: Addresses { listeners.bound.addresses }

  package var registry: WorkspaceRegistry { parts.registry }

  /// Nil once stopped: another plane may take the folder then.
  private let lock: Mutex<FolderLock?>
  /// Ended by `stop`.
  private let renewals: Task<Void, Never>
  let renewal: CertificateRenewal
  private let loop: EventLoop
  private let disk: WorkerPool
  let listeners: Listeners
  let parts: PlaneParts

  /// Loads or makes the state, and serves.
  ///
  /// - Throws: when the folder is taken or damaged, or an address cannot be had.
  package init(_ configuration: PlaneConfiguration) async throws {
    let folder = try StateFolder(configuration.stateFolder)
    lock = Mutex(try FolderLock(folder))
    let pki = try PlanePKI.open(
      in: folder,
      hosts: configuration.certifiedHosts,
      at: configuration.clock()
    )
    disk = WorkerPool(name: "disk", threads: 1)
    loop = try EventLoop(name: "broker")
    listeners = Listeners()
    do {
      parts = try PlaneParts(configuration, folder, pki, loop, disk, listeners)
      try parts.open(configuration, pki, on: loop, binding: listeners)
      try await listeners.bound.start()
      // So that a client that is given the state folder finds the plane.
      try folder.write(Array("\(listeners.bound.addresses.nearMutual)\n".utf8), to: "client/plane")
    } catch {
      loop.stop()
      throw error
    }
    let renewal = CertificateRenewal(
      pki,
      in: folder,
      hosts: configuration.certifiedHosts,
      listeners: listeners,
      disk: disk,
      clock: configuration.clock
    )
    self.renewal = renewal
    renewals = Task { await renewal.run() }
    parts.isReady.set(true)
    let workspaces = parts.workspaces
    // Ends when it has looked at each local daemon; nobody waits for one that is slow to end.
    Task { await workspaces.resume() }
  }

  /// Runs a plane until SIGTERM, SIGINT or SIGHUP, and says on stdout when it is ready.
  ///
  /// - Throws: as `init`.
  package static func run(_ configuration: PlaneConfiguration) async throws {
    try ThisProcess.makeNonDumpable()
    try PlaneLog.start(configuration.log)
    let (stops, stop) = AsyncStream<Void>.makeStream()
    try StopSignals.onFirst { stop.finish() }
    let plane = try await Plane(configuration)
    if configuration.isUnnamed {
      log.warning(
        "unnamed",
        metadata: [
          "remedy": "it listens everywhere and is certified for localhost only: add --host NAME"
        ]
      )
    }
    try ThisProcess.say("ready \(plane.addresses) state=\(configuration.stateFolder)\n")
    log.info("ready", metadata: plane.addresses.metadata)
    for await _ in stops {}
    log.info("stopping")
    await plane.stop()
    log.info("stopped")
    await LogSink.standardError.flush(within: .seconds(2))
  }

  /// Stops: watchers hear that nothing is served, peers why their connections end. Local daemons
  /// go on, and find the next plane.
  package func stop() async {
    parts.isReady.set(false)
    renewals.cancel()
    await renewals.value
    await parts.workspaces.stopWatching()
    await parts.health.stopServing(on: loop)
    await parts.broker.drain("the plane is stopping")
    await parts.chats.stopAll(within: .seconds(5))
    let reason = RPCStatus(.unavailable, "the plane is stopping; try again soon")
    let bound = listeners.bound
    await bound.open.close(reason)
    await bound.mutual.close(reason)
    await drained(bound)
    await bound.admin.close()
    loop.stop()
    disk.close()
    lock.withLock { $0 = nil }
  }

  /// Waits until the peers have read why; their connections give them a second for it.
  private func drained(_ bound: Listeners.Bound) async {
    let end = ContinuousClock.now + .seconds(2)
    while ContinuousClock.now < end {
      let left = await bound.open.connectionCount + bound.mutual.connectionCount
      guard left > 0 else { return }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Made anew each time, since it is the process's only once `PlaneLog` has started.
  static var log: Logger { Logger(label: "gatehouse.plane") }
}

/// Whether `/readyz` says yes.
final class ReadyFlag: Sendable {
  private let value = Atomic<Bool>(false)

  var isSet: Bool { value.load(ordering: .relaxed) }

  func set(_ isReady: Bool) { value.store(isReady, ordering: .relaxed) }
}
