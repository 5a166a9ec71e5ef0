package import EventLoop
package import Identity
package import RPC
package import Wire
internal import Calls
internal import FoundationEssentials

/// Stands between those who want tools run and the daemons that run them: links and calls, tickets
/// and budgets, logs and their readers.
///
/// Lives on the loop of the server that serves `service`. Streams are state machines that the loop
/// calls; this actor is for what waits: unary methods, the agent loop, the workspaces' service.
package actor Broker {
  package nonisolated let loop: EventLoop
  package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor }
  nonisolated let board: Switchboard

  package init(
    on loop: EventLoop,
    directory: any WorkspaceDirectory,
    options: BrokerOptions = BrokerOptions()
  ) {
    self.loop = loop
    options.spool?.attach(to: loop)
    board = Switchboard(on: loop, directory: directory, options: options)
  }

  /// `Link` without `Renew`, and `Tools`. A server that serves them runs on `loop`, and gives each
  /// peer's `Principal` as its identity.
  package nonisolated var service: Service {
    var service = Service()
    let board = board
    service.handle("/gatehouse.link.v1.Link/Connect") { call in try board.connect(call) }
    service.handle("/gatehouse.link.v1.Link/Carry") { call in try board.carry(call) }
    service.handle("/gatehouse.link.v1.Link/Tunnel") { _ in
      throw RPCStatus(.unimplemented, "this plane makes no connections for workspaces yet")
    }
    service.handle("/gatehouse.tools.v1.Tools/Invoke") { call in try InvokeHandler(board, call) }
    service.handle("/gatehouse.tools.v1.Tools/Follow") { call in try FollowHandler(board, call) }
    service.unary("/gatehouse.tools.v1.Tools/Poll") { request, call in
      try await self.poll(.decoded(request), by: call.principal).encoded
    }
    service.unary("/gatehouse.tools.v1.Tools/List") { request, call in
      try await self.list(.decoded(request), by: call.principal).encoded
    }
    service.unary("/gatehouse.tools.v1.Tools/Cancel") { request, call in
      try await self.cancel(.decoded(request), by: call.principal).encoded
    }
    return service
  }

  // MARK: Calls

  /// Takes over what an earlier broker left, in the order in which the calls were made; once, before
  /// anybody is served.
  package func inherit(_ calls: [InheritedCall], keys: [InheritedKey] = []) {
    board.inherit(calls, keys)
  }

  /// Has a tool run for a task of this process, which is the call's owner.
  ///
  /// - Throws: `RPCStatus`, as `Tools.Invoke` does.
  package func invoke(_ order: CallOrder) throws -> Invocation {
    let (call, isRepeated) = try board.submit(order)
    call.owner?.displaced()
    call.owner = nil
    if isRepeated { board.ownerReturned(to: call) }
    call.hasLocalOwner = true
    board.offerNext()
    return Invocation(board, call, isRepeated: isRepeated)
  }

  /// The calls a principal may see, newest first.
  package func list(
    _ request: Gatehouse_Tools_V1_ListRequest,
    by principal: Principal
  ) throws -> Gatehouse_Tools_V1_ListResponse {
    var workspace: WorkspaceEntry?
    if !request.workspace.isEmpty {
      workspace = board.directory.find(request.workspace, for: principal)
      guard workspace != nil else {
        throw RPCStatus.noWorkspace(request.workspace)
      }
    }
    let limit = request.maxCalls == 0 ? 100 : min(Int(request.maxCalls), 1000)
    var page: [Call] = []
    for call in board.calls.newestFirst(before: request.before)
    where call.order.isOwned(by: principal)
      && (workspace.map { $0.id == call.workspace.id } ?? true)
      && (!request.runningOnly || !call.isEnded)
    {
      page.append(call)
      if page.count > limit { break }
    }
    var response = Gatehouse_Tools_V1_ListResponse()
    response.calls = page.prefix(limit).map(\.info)
    response.more = page.count > limit
    return response
  }

  /// Cancels a call and waits for its end, as it really was.
  package func cancel(
    _ request: Gatehouse_Tools_V1_CancelRequest,
    by principal: Principal
  ) async throws -> Gatehouse_Tools_V1_CancelResponse {
    let call = try board.call(request.callID, for: principal)
    var response = Gatehouse_Tools_V1_CancelResponse()
    if let recorded = call.recordedEnd {
      response.alreadyEnded = true
      response.exit = call.end?.exit ?? recorded
      return response
    }
    response.alreadyEnded = call.machine.isEnded
    board.cancel(call, by: principal, "asked for")
    // Ends with the call: its machine gives up by itself when no exit comes.
    while !call.machine.isEnded { try await news(of: call, within: nil) }
    if let end = call.end { response.exit = end.exit }
    return response
  }

  /// What is new in a call's output; waits for something once.
  package func poll(
    _ request: Gatehouse_Tools_V1_PollRequest,
    by principal: Principal
  ) async throws -> Gatehouse_Tools_V1_PollResponse {
    let call = try board.call(request.callID, for: principal)
    var page = PollPage(request)
    let seen = call.announcements
    await page.fill(from: call)
    if page.isEmpty, request.waitMs > 0, !call.machine.isEnded {
      try await news(
        of: call,
        after: seen,
        within: .milliseconds(Int64(min(request.waitMs, 60_000)))
      )
      await page.fill(from: call)
    }
    return page.response
  }

  /// Removes what is kept of the output and the answers of a chat's calls, on disk and in memory, and
  /// returns when nobody can read it there any more. Of calls that are under way what comes is not kept.
  package func eraseOutput(ofChat chat: String) async {
    for call in board.calls.all where call.order.origin?.chat == chat {
      call.eraseAnswer()
      guard let keeper = call.keeper else {
        call.log.closeWindow()
        continue
      }
      await withCheckedContinuation { continuation in keeper.erase { continuation.resume() } }
    }
    guard let spool = board.options.spool else { return }
    await withCheckedContinuation { continuation in
      spool.wipe([], of: chat) { continuation.resume() }
    }
  }

  /// Writes, syncs and reads of output that are under way.
  package func spoolWork() -> Int { board.options.spool?.jobs ?? 0 }

  /// Waits for news of a call, for as long as somebody wants them; at once for what came since `seen`.
  ///
  /// - Throws: `CancellationError`.
  private func news(
    of call: Call,
    after seen: Int? = nil,
    within time: Duration?
  ) async throws {
    try Task.checkCancellation()
    let (waiter, loop) = (call.makeWaiter(), loop)
    await withTaskCancellationHandler {
      // Named, so that it stays on the loop: a closure that holds no actor runs on any thread.
      await self.wait(for: call, after: seen, within: time, as: waiter)
    } onCancel: {
      // Runs in a later turn of the loop, when the wait has begun.
      loop.execute { call.wake(waiter) }
    }
    try Task.checkCancellation()
  }

  private func wait(
    for call: Call,
    after seen: Int?,
    within time: Duration?,
    as waiter: Int
  ) async {
    await call.news(after: seen, within: time, on: loop, as: waiter)
  }

  // MARK: Links

  /// Whether a workspace's daemon is linked.
  package func isLinked(_ workspace: String) -> Bool { board.isLinked(workspace) }

  /// Waits until a workspace's daemon is linked, or until it is not.
  ///
  /// - Returns: whether it came to that in time.
  package func waitForLink(
    of workspace: String,
    toBe linked: Bool = true,
    within time: Duration
  ) async -> Bool {
    guard board.isLinked(workspace) != linked else { return true }
    let (board, loop) = (board, loop)
    var timer: LoopTimer?
    await withCheckedContinuation { continuation in
      let number = board.waitForLink(workspace, wantsLink: linked, continuation)
      timer = loop.schedule(after: time) { board.endLinkWait(number) }
    }
    if let timer { loop.cancel(timer) }
    return board.isLinked(workspace) == linked
  }

  /// Ends a workspace's link, for example because it was deleted.
  package func unlink(_ workspace: String, _ reason: RPCStatus) {
    board.unlink(workspace, reason)
  }

  /// Cancels a workspace's calls, live and queued ones, and waits for their ends; after `time` those
  /// left are `lost`. New ones are refused by the directory's word that it is stopped.
  package func endCalls(of workspace: String, within time: Duration) async {
    let limit = ContinuousClock.now + time
    let calls = board.calls.live(in: workspace)
    for call in calls { board.cancel(call, by: nil, "its workspace is stopped") }
    for call in calls {
      // Without a link there is nobody to wait for.
      while !call.machine.isEnded, board.isLinked(workspace), ContinuousClock.now < limit {
        await call.news(within: limit - .now, on: loop)
      }
    }
    board.endCalls(of: workspace)
  }

  /// Asks all daemons to connect elsewhere; calls under way go on, new ones are refused.
  package func drain(_ reason: String) { board.drain(reason) }

  /// How many calls are under way.
  package func liveCallCount() -> Int { board.calls.liveCount }
}
