internal import Crypto
package import EventLoop
package import Broker
internal import Calls
internal import Host
internal import Identity
internal import Ledger
internal import Logging
internal import PlanePKI
internal import RPC
internal import Synchronization
internal import Wire

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

  package var broker: Broker { parts.broker }

  package var registry: WorkspaceRegistry { parts.registry }

  /// Nil once stopped: another plane may take the folder then.
  private let lock: Mutex<FolderLock?>
  /// Ended by `stop`.
  private let renewals: Task<Void, Never>
  /// Its task is ended by `stop`; nil: none is configured.
  private let webhook: (sender: CheckpointWebhook, task: Task<Void, Never>)?
  let renewal: CertificateRenewal
  private let loop: EventLoop
  private let disk: WorkerPool
  let listeners: Listeners
  let parts: PlaneParts

  /// Loads or makes the state, and serves.
  ///
  /// - Throws: when the folder is taken or damaged, or an address cannot be had.
  package init(_ configuration: PlaneConfiguration) async throws {
    try configuration.check()
    let folder = try StateFolder(configuration.stateFolder)
    lock = Mutex(try FolderLock(folder))
    let pki = try PlanePKI.open(
      in: folder,
      hosts: configuration.certifiedHosts,
      at: configuration.clock()
    )
    var configuration = configuration
    let checkpoints = configuration.checkpointFile ?? folder.path + ".checkpoints"
    configuration.checkpointFile = checkpoints
    do {
      // What is to be hidden has to be there.
      try AppendFile(checkpoints).append([])
      // A command that could write there could make the ledger look forged.
      configuration.hiddenFiles.append(checkpoints)
    } catch {
      Self.log.error("checkpoints_not_writable", metadata: ["error": "\(error)"])
    }
    let sender = try configuration.checkpointWebhook.map {
      try CheckpointWebhook(url: $0, timeout: configuration.checkpointWebhookTimeout)
    }
    let ledger = try Self.openLedger(
      in: folder,
      of: pki.trustDomain,
      checkpoints: checkpoints,
      keyLife: configuration.broker.idempotencyTime,
      sender
    )
    disk = WorkerPool(name: "disk", threads: 1)
    loop = try EventLoop(name: "broker")
    listeners = Listeners()
    let recorder = Recorder(ledger, trustDomain: pki.trustDomain, models: configuration.models)
    do {
      parts = try PlaneParts(configuration, folder, pki, loop, disk, listeners, recorder, sender)
      try parts.open(configuration, pki, on: loop, binding: listeners)
      let addresses = listeners.bound.addresses
      let before = try await ledger.read(from: ledger.lastSequence, limit: 1).first
      try await recorder.announce(
        RecordedEvent(.planeStarted, by: recorder.plane) {
          $0.planeStarted.listen = "\(addresses.mutual)"
          $0.planeStarted.listenOpen = "\(addresses.open)"
        }
      )
      try await parts.takeOver(from: before?.header.time ?? 0)
      try await parts.chats.restore()
      try await listeners.bound.start()
      // So that a client that is given the state folder finds the plane.
      try folder.write(Array("\(listeners.bound.addresses.nearMutual)\n".utf8), to: "client/plane")
    } catch {
      loop.stop()
      await ledger.close()
      throw error
    }
    webhook = sender.map { sender in (sender, Task { await sender.run() }) }
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
    DescriptorLimit.raise()
    Heap.giveBackWhenIdle()
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
    // Before their calls hear of it.
    await parts.chats.suspendAll(within: .seconds(5))
    await parts.broker.drain("the plane is stopping")
    let reason = RPCStatus(.unavailable, "the plane is stopping; try again soon")
    let bound = listeners.bound
    await bound.open.close(reason)
    await bound.mutual.close(reason)
    await drained(bound)
    await bound.admin.close()
    let recorder = parts.recorder
    recorder.record {
      RecordedEvent(.planeStopped, by: recorder.plane) { $0.planeStopped = .init() }
    }
    await recorder.ledger.close()
    if let webhook {
      webhook.task.cancel()
      await webhook.task.value
      await webhook.sender.finish()
    }
    await spoolDone()
    loop.stop()
    disk.close()
    lock.withLock { $0 = nil }
  }

  /// Ends the connections of a workspace's daemon from one moment to the next, as a network does.
  package func cutConnections(of workspaceID: String) async {
    await listeners.cutConnections(of: workspaceID)
  }

  /// Opens the ledger, or begins one.
  /// `checkpoints`: the file that they are kept in, outside the folder; nil: nowhere.
  static func openLedger(
    in folder: StateFolder,
    of trustDomain: TrustDomain,
    checkpoints: String?,
    keyLife: Duration? = nil,
    _ webhook: CheckpointWebhook? = nil
  ) throws -> Ledger {
    var random = SecureRandom.Generator()
    let id = Identifier.make(prefix: "ledger", now: ThisProcess.unixMilliseconds, random: &random)
    var options = LedgerOptions(origin: "\(trustDomain)/\(id)") {
      Int64(ThisProcess.unixMicroseconds)
    }
    options.checkpointFile = checkpoints
    if let keyLife { options.keyLife = Int64(keyLife / .microseconds(1)) }
    options.holder = "plane \(id)"
    options.describe = { EventFacts.of($0) }
    if let webhook {
      options.checkpointSigned = { webhook.offer(.init(size: $0, text: $1)) }
    }
    options.notice = { notice in LedgerNotices.log(notice) }
    return try Ledger(in: folder, options)
  }

  /// Waits until nothing of calls' output is on its way to the disk: the next plane reads there.
  private func spoolDone() async {
    let end = ContinuousClock.now + .seconds(2)
    while ContinuousClock.now < end, await parts.broker.spoolWork() > 0 {
      try? await Task.sleep(for: .milliseconds(5))
    }
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
