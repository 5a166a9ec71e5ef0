internal import Calls
internal import EventLoop
internal import Host
internal import Identity
internal import RPC
internal import Wire

extension Switchboard {
  /// A daemon opens `Connect`.
  ///
  /// - Throws: `NOT_FOUND` for a workspace that was deleted.
  func connect(_ call: ServerCall) throws(RPCStatus) -> LinkSession {
    let principal = try call.principal
    guard principal.kind == .workspace, let workspace = directory.workspace(id: principal.name)
    else { throw RPCStatus(.notFound, "there is no workspace '\(principal.name)'") }
    guard !isDraining else { throw RPCStatus(.unavailable, "the plane is stopping") }
    guard mayLink(workspace) else {
      throw .full("workspace '\(workspace.name)' is linked again and again", .seconds(1))
    }
    // A daemon has one: those before would stay for as long as they are heard of.
    unfinished[workspace.id]?.close(RPCStatus(.aborted, "a newer link has taken this one's place"))
    let epoch = nextEpoch(of: workspace.id)
    let session = LinkSession(self, call, workspace: workspace, epoch: epoch)
    sessions[SessionKey(workspace: workspace.id, epoch: epoch)] = session
    unfinished[workspace.id] = session
    return session
  }

  private func mayLink(_ workspace: WorkspaceEntry) -> Bool {
    let fresh = TokenBucket(burst: options.linkBurst, rate: options.linkRate)
    return linkBuckets[workspace.id, default: fresh].takeOne(at: .now)
  }

  /// Above all that the workspace's links had.
  func nextEpoch(of workspace: String) -> SessionEpoch {
    if epochs[workspace] == nil { pruneEpochs() }
    let epoch = (epochs[workspace] ?? SessionEpoch(life: options.life)).next
    epochs[workspace] = epoch
    return epoch
  }

  /// Drops those of workspaces that are no more, whose ids never come again. Amortised: looks when
  /// there are twice as many as the last time.
  private func pruneEpochs() {
    guard epochs.count >= epochsToPrune else { return }
    epochs = epochs.filter { directory.workspace(id: $0.key) != nil }
    linkBuckets = linkBuckets.filter { epochs[$0.key] != nil }
    epochsToPrune = max(64, 2 * epochs.count)
  }

  /// The inventory is whole: this is the workspace's link now.
  func linkUp(_ session: LinkSession) {
    guard let link = session.link else { return }
    let id = session.workspace.id
    if unfinished[id] === session { unfinished[id] = nil }
    if let old = links[id], old.epoch > session.epoch {
      return session.close(RPCStatus(.aborted, "a newer link has taken this one's place"))
    }
    let old = links.updateValue(session, forKey: id)
    old?.close(RPCStatus(.aborted, "a newer link has taken this one's place"))
    forgetUnknown(of: session)
    admission.open(id, maxCalls: session.maxCalls)
    for call in calls.live(in: id) {
      call.machine.isRepeatable = session.isIdempotent(call.order.tool) && !call.hasAnswered
      handle(.linkUp(link, isKnown: session.known.contains(call.id), ticket()), for: call)
    }
    for call in calls.ended(among: session.known, in: id) {
      if let found = session.found[call.id] { self.found(call, found) }
      if call.isFoundKept { handle(.linkUp(link, isKnown: true, ticket()), for: call) }
    }
    offerNext()
    counters.linkOpened()
    if tallies[id] == nil { tallies[id] = Tally() }
    session.came(at: Int64(ThisProcess.unixMilliseconds) * 1000, base: traffic(of: id))
    let report = LinkReport(session, liveCalls: calls.live(in: id).count)
    options.observe?(.linked(report))
    note(.linked(report))
    wakeLinkWaiters(of: id)
  }

  /// Forgets what is not known here, so that the daemon can. What became of one that an earlier plane may
  /// have given up is kept first.
  private func forgetUnknown(of session: LinkSession) {
    let id = session.workspace.id
    var unknown = session.known.filter { calls[$0]?.workspace.id != id }
    let found = session.found.filter { name, _ in calls[name] == nil && session.mayTell(name) }
    if let journal = options.journal, !found.isEmpty {
      unknown.subtract(found.keys)
      session.awaited = Set(found.keys)
      let epoch = session.epoch
      journal.found(found, in: id) {
        self.loop.execute { self.forget(found.keys.sorted(), of: id, in: epoch) }
      }
    }
    if !unknown.isEmpty { session.forget(unknown.sorted()) }
  }

  private func forget(_ ids: [String], of workspace: String, in epoch: SessionEpoch) {
    guard let session = links[workspace], session.epoch == epoch else { return }
    session.awaited = []
    session.forget(ids)
  }

  /// It was told to be lost, or may have been by an earlier plane.
  func isGivenUp(_ id: String, in workspace: String) -> Bool {
    guard let call = calls[id] else { return true }
    return call.workspace.id == workspace && call.machine.state == .ended(.lost)
  }

  /// What was told of it stays as it was told; what became of it is recorded, once, and only then may its
  /// daemon forget it.
  private func found(_ call: Call, _ found: FoundCall) {
    guard !call.isFound, found.exit?.outcome != .lost else { return }
    call.isFound = true
    options.observe?(.callFound(CallNote(call), found))
    guard let journal = options.journal else { return }
    call.isFoundKept = false
    journal.found(CallNote(call), found) {
      self.loop.execute {
        call.isFoundKept = true
        guard let link = self.links[call.workspace.id]?.link else { return }
        self.handle(.linkUp(link, isKnown: true, self.ticket()), for: call)
      }
    }
  }

  /// A session is over. If it was the workspace's link, the workspace has none; a newer link is
  /// left alone.
  func linkOver(_ session: LinkSession, _ status: RPCStatus) {
    let id = session.workspace.id
    sessions[SessionKey(workspace: id, epoch: session.epoch)] = nil
    if unfinished[id] === session { unfinished[id] = nil }
    if links[id] === session {
      links[id] = nil
      admission.close(id)
      tallies[id] = nil
      let report = LinkReport(session, liveCalls: calls.live(in: id).count)
      options.observe?(.unlinked(report, status))
      note(.unlinked(report, status))
    }
    for call in calls.live(in: id) where call.machine.state != .queued || links[id] == nil {
      handle(.linkLost(session.epoch, .now), for: call)
    }
    wakeLinkWaiters(of: id)
  }

  func refused(_ refused: Gatehouse_Link_V1_Refused, on session: LinkSession) {
    guard let call = calls[refused.callID], call.workspace.id == session.workspace.id else {
      return
    }
    if refused.hasError { call.refusal = refused.error }
    handle(.refused(session.epoch), for: call)
  }

  func unclaimed(_ id: String, on session: LinkSession) {
    guard let call = calls[id], call.workspace.id == session.workspace.id else {
      if !session.awaited.contains(id) { session.forget([id]) }
      return
    }
    handle(.unclaimed(session.epoch, ticket()), for: call)
  }

  func tickLink(_ workspace: String, _ epoch: SessionEpoch) {
    sessions[SessionKey(workspace: workspace, epoch: epoch)]?.tick()
  }

  /// Asks the daemons to move away; no call is offered any more.
  func drain(_ reason: String) {
    isDraining = true
    for (id, session) in links {
      admission.close(id)
      session.drain(reason)
    }
    // Such a one would never hear of it.
    for session in unfinished.values { session.close(RPCStatus(.unavailable, reason)) }
  }

  /// Ends the links of a workspace, for example one that is deleted.
  func unlink(_ workspace: String, _ reason: RPCStatus) {
    for session in sessions.values where session.workspace.id == workspace { session.close(reason) }
  }

  /// Open `Carry` streams.
  var carryCount: Int { carries.values.reduce(0, +) }

  /// Ends what is left of a workspace's calls: nobody will say how.
  func endCalls(of workspace: String) {
    for call in calls.live(in: workspace) { handle(.workspaceStopped, for: call) }
  }

  func isLinked(_ workspace: String) -> Bool { links[workspace] != nil }

  /// - Returns: the wait's number, for `endLinkWait`.
  func waitForLink(
    _ workspace: String,
    wantsLink: Bool,
    _ continuation: CheckedContinuation<Void, Never>
  ) -> Int {
    linkWaiterCount += 1
    linkWaiters[linkWaiterCount] = LinkWaiter(
      workspace: workspace,
      wantsLink: wantsLink,
      continuation: continuation
    )
    return linkWaiterCount
  }

  func endLinkWait(_ waiter: Int) {
    linkWaiters.removeValue(forKey: waiter)?.continuation.resume()
  }

  private func wakeLinkWaiters(of workspace: String) {
    for (number, waiter) in linkWaiters
    where waiter.workspace == workspace && waiter.wantsLink == isLinked(workspace) {
      endLinkWait(number)
    }
  }
}
