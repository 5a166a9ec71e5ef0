internal import Broker
internal import Calls
internal import Crypto
internal import Host
internal import Identity
internal import Ledger
internal import Logging
internal import RPC
internal import Wire

/// Makes, starts, stops and deletes workspaces; one at a time each.
actor Workspaces {
  let registry: WorkspaceRegistry
  let daemons: LocalDaemons
  private let enrollment: Enrollment
  let broker: Broker
  private let listeners: Listeners
  let recorder: Recorder
  /// Milliseconds since 1970.
  private let clock: @Sendable () -> UInt64
  /// Ids of workspaces that something is done to.
  var busy: Set<String> = []
  /// One for each local workspace whose daemon is to run; see `watch`.
  var watchers: [String: Task<Void, Never>] = [:]
  var isClosing = false

  /// For the calls of a workspace that is stopped: SIGTERM, two seconds, SIGKILL, and the news of it.
  private static let callsEnd = Duration.seconds(5)

  init(
    registry: WorkspaceRegistry,
    daemons: LocalDaemons,
    enrollment: Enrollment,
    broker: Broker,
    listeners: Listeners,
    recorder: Recorder,
    clock: @escaping @Sendable () -> UInt64
  ) {
    self.registry = registry
    self.daemons = daemons
    self.enrollment = enrollment
    self.broker = broker
    self.listeners = listeners
    self.recorder = recorder
    self.clock = clock
  }

  /// Makes a workspace; a local one is linked when this returns, another gets a join token.
  func create(
    _ name: String,
    localRoot: String?,
    for principal: Principal
  ) async throws(PlaneError) -> (record: WorkspaceRecord, token: String?) {
    if localRoot != nil { try Self.checkMayMakeLocal(principal) }
    var random = SecureRandom.Generator()
    let id = Identifier.make(prefix: "ws", now: clock(), random: &random)
    var record = WorkspaceRecord(id: id, name: name, owner: WorkspaceRecord.Owner(principal))
    busy.insert(id)
    defer { busy.remove(id) }
    // The name is taken before anything is made for it.
    let draft = record
    do {
      try await registry.change { (table) throws(PlaneError) in try table.add(draft) }
    } catch {
      // What the disk refused is in memory all the same, and would hold the name.
      try? await registry.change { $0.remove(id) }
      throw error
    }
    do {
      try await announce(.workspaceCreated, record, root: localRoot, by: principal)
      guard let localRoot else {
        return (record, try await enrollment.makeToken(for: .workspace(id), by: principal))
      }
      record.local = try await daemons.prepare(id, root: localRoot)
      try await startDaemon(of: record)
      return (registry.record(id) ?? record, nil)
    } catch {
      await abandon(id)
      let reason = error.message
      recorder.record { [recorder] in
        .changed(.workspaceDeleted, draft, by: recorder.plane, reason: "not made: \(reason)")
      }
      throw error
    }
  }

  /// A local workspace's commands have the plane's account, and so all files of it that are not hidden,
  /// other workspaces' roots among them.
  private static func checkMayMakeLocal(_ principal: Principal) throws(PlaneError) {
    let admin = SPIFFEID(principal.id.trustDomain, .user, "admin")
    guard principal.id != admin, !principal.groups.contains("admins") else { return }
    throw PlaneError(
      .permissionDenied,
      "a local workspace runs as the plane's account, so only its administrators make one; make one "
        + "elsewhere, which needs a join token: gatehouse workspace create NAME"
    )
  }

  /// A new join token for a workspace elsewhere, in place of those that were not used.
  func makeToken(
    _ reference: String,
    for principal: Principal
  ) async throws(PlaneError) -> (record: WorkspaceRecord, token: String) {
    let record = try take(reference, for: principal)
    defer { busy.remove(record.id) }
    guard record.local == nil else {
      throw PlaneError(
        .failedPrecondition,
        "workspace '\(record.name)' is local, and the plane starts its daemon; "
          + "run: gatehouse workspace start \(record.name)"
      )
    }
    guard !record.isStopped else {
      throw PlaneError(
        .failedPrecondition,
        "workspace '\(record.name)' is stopped; run: gatehouse workspace start \(record.name)"
      )
    }
    enrollment.revokeTokens(for: .workspace(record.id))
    return (record, try await enrollment.makeToken(for: .workspace(record.id), by: principal))
  }

  /// Keeps what a principal is about to do to a workspace.
  private func announce(
    _ kind: EventKind,
    _ record: WorkspaceRecord,
    root: String? = nil,
    by principal: Principal
  ) async throws(PlaneError) {
    let who = EventPrincipal(principal)
    try await recorder.announce(.changed(kind, record, root: root, by: who))
  }

  /// Starts a stopped workspace; a local one is linked when this returns.
  func start(_ reference: String, for principal: Principal) async throws(PlaneError)
    -> WorkspaceRecord
  {
    let record = try take(reference, for: principal)
    defer { busy.remove(record.id) }
    try await announce(.workspaceStarted, record, by: principal)
    try await registry.update(record.id) { $0.isStopped = false }
    if record.local != nil, await !broker.isLinked(record.id) {
      try await bringBack(registry.record(record.id) ?? record)
    }
    return registry.record(record.id) ?? record
  }

  /// Ends a workspace's calls and its daemon.
  func stop(_ reference: String, for principal: Principal) async throws(PlaneError)
    -> WorkspaceRecord
  {
    let record = try take(reference, for: principal)
    defer { busy.remove(record.id) }
    try await announce(.workspaceStopped, record, by: principal)
    try await halt(record)
    return registry.record(record.id) ?? record
  }

  /// Stops a workspace and removes it, with a root that the plane made.
  func delete(_ reference: String, for principal: Principal) async throws(PlaneError) {
    let record = try take(reference, for: principal)
    defer { busy.remove(record.id) }
    try await announce(.workspaceDeleted, record, by: principal)
    try await halt(record)
    try await discard(record.id)
  }

  /// After the plane's start: daemons that run go on and link again; those that do not, or that
  /// were told of another address, are started.
  func resume() async {
    for record in registry.all where !record.isStopped {
      guard let local = record.local, busy.insert(record.id).inserted else { continue }
      defer { busy.remove(record.id) }
      defer { watch(record.id) }
      if let daemon = local.daemon, daemon.isRunning {
        guard local.planeAddress != daemons.planeAddress else { continue }
        await daemons.stop(daemon)
      }
      do throws(PlaneError) {
        try await launch(record)
      } catch {
        Plane.log.error(
          "daemon_not_started",
          metadata: ["workspace": "\(record.id)", "error": "\(error)"]
        )
      }
    }
    await settle()
  }

  private func take(
    _ reference: String,
    for principal: Principal
  ) throws(PlaneError) -> WorkspaceRecord {
    let record = try registry.record(reference, for: principal)
    guard busy.insert(record.id).inserted else {
      throw PlaneError(
        .aborted,
        "workspace '\(record.name)' is being started or stopped; try again"
      )
    }
    return record
  }

  private func halt(_ record: WorkspaceRecord) async throws(PlaneError) {
    unwatch(record.id)
    // From here on a daemon that links is refused, and so is a call.
    try await registry.update(record.id) { $0.isStopped = true }
    await broker.endCalls(of: record.id, within: Self.callsEnd)
    enrollment.revokeTokens(for: .workspace(record.id))
    try await endDaemon(of: record)
    let reason = RPCStatus(.unavailable, "workspace '\(record.name)' was stopped")
    await broker.unlink(record.id, reason)
    await listeners.endConnections(of: record.id, reason)
    try await registry.update(record.id) { $0.local?.daemon = nil }
  }

  /// Removes what could not be made. What cannot be removed stays listed, to be deleted.
  func abandon(_ id: String) async {
    do throws(PlaneError) {
      try await discard(id)
    } catch {
      Plane.log.error("workspace_not_removed", metadata: ["error": "\(error)"])
    }
  }

  private func discard(_ id: String) async throws(PlaneError) {
    unwatch(id)
    enrollment.revokeTokens(for: .workspace(id))
    if let record = registry.record(id) { try await endDaemon(of: record) }
    try await daemons.remove(id)
    try await registry.change { $0.remove(id) }
  }

  /// A daemon that runs is about to link, as one does that has just been started again: to start another
  /// would end what it runs. Where it does not come, another is started all the same.
  private func bringBack(_ record: WorkspaceRecord) async throws(PlaneError) {
    if let local = record.local, let daemon = local.daemon, daemon.isRunning,
      local.planeAddress == daemons.planeAddress,
      await broker.waitForLink(of: record.id, within: Self.timeToLink)
    {
      return
    }
    try await startDaemon(of: registry.record(record.id) ?? record)
  }

  /// A local daemon looks for its plane every two seconds.
  private static let timeToLink: Duration = .seconds(5)

  private func startDaemon(of record: WorkspaceRecord) async throws(PlaneError) {
    unwatch(record.id)
    defer { watch(record.id) }
    if let daemon = record.local?.daemon { await daemons.stop(daemon) }
    try await launch(record)
    try await waitForLink(record)
  }

  /// Ends a local workspace's daemon, also one that was not written down.
  private func endDaemon(of record: WorkspaceRecord) async throws(PlaneError) {
    guard let local = record.local else { return }
    if let daemon = local.daemon { await daemons.stop(daemon) }
    try await daemons.stopStray(record.id)
  }

  func launch(_ record: WorkspaceRecord) async throws(PlaneError) {
    guard let local = record.local else { return }
    try await daemons.stopStray(record.id)
    // The one before may have ended without using its token.
    enrollment.revokeTokens(for: .workspace(record.id))
    let token = try enrollment.makeOwnToken(for: .workspace(record.id))
    let started = try await daemons.start(record.id, local, token: token)
    try await registry.update(record.id) { $0.local = started }
  }

  private func waitForLink(_ record: WorkspaceRecord) async throws(PlaneError) {
    let end = ContinuousClock.now + daemons.timeout
    // In pieces: the end of a daemon that cannot start is told by nobody.
    while !(await broker.waitForLink(of: record.id, within: .milliseconds(100))) {
      guard registry.record(record.id)?.local?.daemon?.isRunning == true else {
        throw PlaneError(
          .unavailable,
          "the daemon of workspace '\(record.name)' ended at once; it says: "
            + (await daemons.lastWords(of: record.id))
        )
      }
      guard ContinuousClock.now < end else {
        throw PlaneError(
          .unavailable,
          "the daemon of workspace '\(record.name)' did not link in \(daemons.timeout); it says: "
            + (await daemons.lastWords(of: record.id))
        )
      }
    }
  }
}
