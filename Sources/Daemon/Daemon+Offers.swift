internal import Calls
internal import Crypto
internal import DaemonWire
internal import EventLoop
internal import LogLines
internal import RPC
internal import Sandbox

/// How calls come in, and what their machine's actions do.
extension Daemon {
  static let maxRequestBytes: UInt64 = 1 << 20

  func offered(_ offer: Offer, on link: Link) {
    guard let ticket = Ticket(bytes: offer.ticket), Identifier.isValid(offer.callId) else {
      return log("bad_offer", ["call": offer.callId], .warning)
    }
    log("offered", ["call": offer.callId, "tool": offer.tool], .debug)
    // Not answered: the successor has this one's instance id, so the plane offers it again.
    guard !isMakingWay || live[offer.callId] != nil else { return }
    let isWhole = UInt64(offer.request.count) == offer.requestBytes
    if calls[offer.callId] == nil, let error = refusal(offer, isWhole: isWhole) {
      return refuse(offer.callId, error, on: link)
    }
    let isNew = live[offer.callId] == nil
    let actions = calls.offer(offer.callId, ticket, isWhole: isWhole)
    if isNew, calls[offer.callId] != nil { live[offer.callId] = makeCall(offer) }
    // Offered again: it never had a carry that the plane knew, so the plane has nothing of it. A
    // repeated one opens nothing; its positions are those of the stream there is.
    if opensCarry(actions) {
      for output in live[offer.callId]?.outputs ?? [] { output.sent = 0 }
    }
    perform(actions, of: offer.callId, on: link)
  }

  private func refusal(_ offer: Offer, isWhole: Bool) -> ToolError? {
    if isStopping {
      return ToolError(code: "unavailable", message: "the daemon is stopping; try again later")
    }
    guard (CommandRequest.tools + FileTools.names).contains(offer.tool) else {
      return ToolError(
        code: "unknown_tool",
        message: "this daemon has no tool '\(offer.tool)'; see its capabilities"
      )
    }
    guard offer.requestBytes <= Self.maxRequestBytes, offer.request.count <= offer.requestBytes
    else { return ToolError(code: "too_large", message: "a request has at most 1 MiB") }
    guard !isWhole || hasDigest(offer.request, offer.tool, offer.digest) else {
      return .wrongDigest
    }
    return nil
  }

  func hasDigest(_ request: [UInt8], _ tool: String, _ digest: [UInt8]) -> Bool {
    SHA256.hash(RequestDigest.input(tool: tool, request: request)) == digest
  }

  private func makeCall(_ offer: Offer) -> LiveCall {
    let deadline = ContinuousClock.now + .milliseconds(min(offer.deadlineMs, 24 * 3_600_000))
    let call = LiveCall(
      id: offer.callId,
      tool: offer.tool,
      digest: offer.digest,
      requestBytes: Int(offer.requestBytes),
      deadline: deadline
    )
    call.request = offer.request
    watchDeadline(of: call)
    return call
  }

  func watchDeadline(of call: LiveCall) {
    let id = call.id
    call.deadlineTimer = schedule(at: call.deadline) { $0.endInTime(id, .deadline) }
  }

  /// Ends a call, and does not wait long for whoever would read what its command wrote.
  func endInTime(_ id: String, _ event: DaemonCall.Event) {
    perform(calls.handle(id, event), of: id)
    limitTail(of: id)
  }

  func resumed(_ resume: Resume, on link: Link) {
    guard let ticket = Ticket(bytes: resume.ticket), let call = live[resume.callId] else {
      // The plane hears of what is not here from the inventory.
      return log("bad_resume", ["call": resume.callId], .warning)
    }
    var positions = Positions(resume.acknowledged)
    do {
      for output in call.outputs { try output.acknowledge(before: positions[output.stream]) }
      positions.raise(to: Positions(resume.received))
    } catch {
      return log("bad_resume", ["call": resume.callId, "error": "\(error)"], .warning)
    }
    let actions = calls.handle(resume.callId, .granted(ticket))
    // A repeated resume opens nothing; its positions are those of the stream there is.
    if opensCarry(actions) {
      for output in call.outputs { output.sent = positions[output.stream] }
    }
    perform(actions, of: resume.callId, on: link)
    resumeReading(call)
  }

  private func opensCarry(_ actions: [DaemonCall.Action]) -> Bool {
    actions.contains { if case .openCarry = $0 { true } else { false } }
  }

  /// Does what a call's machine says; `link` is where an offer or resume came from.
  func perform(_ actions: [DaemonCall.Action], of id: String, on link: Link? = nil) {
    settle(id)
    for action in actions {
      switch action {
      case .start: startTool(id)
      case .openCarry(let ticket, let attachment):
        if let link { openCarry(id, ticket, attachment, on: link) }
      case .closeCarry(let attachment): closeCarry(id, attachment)
      case .kill(let reason): kill(id, reason)
      case .sendExit: if let call = live[id] { pump(call) }
      case .reportUnclaimed: reportUnclaimed(id)
      case .drop: drop(id)
      case .refuse(let refusal):
        if let link { refuse(id, ToolError(refusal), on: link) }
      }
    }
  }

  /// A call may end without its tool: cancelled before its request was whole.
  private func settle(_ id: String) {
    guard let call = live[id], call.exit == nil, case .ended(let outcome) = calls[id]?.state
    else { return }
    call.exit = Ending(outcome, nil).message(outcome, [])
  }

  private func refuse(_ id: String, _ error: ToolError, on link: Link) {
    log("call_refused", ["call": id, "reason": error.code])
    say(.refused(Refused(callId: id, error: error)), on: link)
  }

  private func reportUnclaimed(_ id: String) {
    guard let link = current.flatMap({ links[$0] }) else { return }
    say(.unclaimed(Unclaimed(callId: id, reason: "its carry was refused or cut")), on: link)
  }

  private func drop(_ id: String) {
    guard let call = live.removeValue(forKey: id) else { return }
    if let timer = call.deadlineTimer { loop.cancel(timer) }
    if let command = call.command {
      letGo(command)
      if let baseline = command.baseline, !command.isSurveyed { survey.abandon(baseline) }
    }
    if call.command != nil || call.folder != nil {
      let journal = journal
      // Left for the next start if the spawner is full.
      try? spawner.submit { journal.folder.removeFolder(id) }
    }
    if isStopping { stopIfDone() }
  }

  // MARK: Tools

  private func startTool(_ id: String) {
    guard let call = live[id] else { preconditionFailure("a call without its data is started") }
    let request = call.request
    call.request = []
    call.hasRequest = true
    log("call_started", ["call": id, "tool": call.tool])
    if CommandRequest.tools.contains(call.tool) {
      startCommand(call, request)
    } else {
      runFileTool(call, request)
    }
  }

  private func runFileTool(_ call: LiveCall, _ request: [UInt8]) {
    let cancellation = Cancellation()
    call.work = .files(cancellation)
    let (id, tool, tools, start) = (call.id, call.tool, tools, ContinuousClock.now)
    let (journal, entry) = (journal, journalEntry(of: call))
    do {
      try pool.submit {
        let folder: SharedFolder?
        do throws(SystemError) {
          folder = try entry.map { entry throws(SystemError) in try entry.write(id, in: journal) }
        } catch {
          let refusal = ToolError(notJournaled: error)
          return self.later { $0.toolEnded(id, Ending(.refused, refusal)) }
        }
        let (result, effects) = tools.perform(
          tool: tool,
          request: request,
          cancellation: cancellation
        )
        let microseconds = UInt64((ContinuousClock.now - start) / .microseconds(1))
        self.later { daemon in
          daemon.live[id]?.folder = folder
          daemon.live[id]?.effects = effects
          daemon.toolEnded(id, Ending(result, microseconds: microseconds))
        }
      }
    } catch {
      toolEnded(id, .overloaded)
    }
  }

  /// `nil` for a tool that only looks.
  private func journalEntry(of call: LiveCall) -> CallJournal? {
    guard !FileTools.idempotent.contains(call.tool) else { return nil }
    return CallJournal(
      tool: call.tool,
      digest: call.digest,
      requestBytes: UInt32(call.requestBytes),
      deadline: call.journaledDeadline
    )
  }

  /// Brings the tool's end to the call's machine, which may know a better name for it.
  func toolEnded(_ id: String, _ ending: Ending) {
    guard let call = live[id], call.exit == nil else { return }
    if let timer = call.deadlineTimer { loop.cancel(timer) }
    let actions = calls.handle(id, .toolEnded(ending.outcome))
    if case .ended(let outcome) = calls[id]?.state {
      let exit = ending.message(outcome, call.outputs.map(\.total))
      call.exit = exit
      log(
        "call_ended",
        [
          "call": id, "tool": call.tool, "outcome": LogRecord.word("\(outcome)"),
          "code": "\(exit.code)",
        ]
      )
      keep(exit, of: call)
    }
    perform(actions, of: id)
    if isStopping { stopIfDone() }
  }

  /// Writes the exit of a journaled call beside its journal, until the plane has it.
  private func keep(_ exit: Exit, of call: LiveCall) {
    guard let folder = call.command?.folder ?? call.folder, let bytes = try? exit.encoded()
    else { return }
    if let effects = try? call.effects?.encoded() {
      try? folder.folder.write(CallJournal.File.effects, effects)
    }
    try? folder.folder.write(CallJournal.File.exit, bytes)
  }

  private func kill(_ id: String, _ reason: DaemonCall.KillReason) {
    log("call_killed", ["call": id, "reason": "\(reason)"], .info)
    guard let call = live[id] else { return }
    switch call.work {
    case .none: break
    case .files(let cancellation): cancellation.cancel()
    case .command(let command):
      end(command, reason == .deadline ? .timedOut : .cancelled)
    }
  }
}

extension ToolError {
  static let wrongDigest = ToolError(
    code: "digest_mismatch",
    message: "tool and request do not have the digest that was offered"
  )

  init(_ refusal: DaemonCall.Refusal) {
    switch refusal {
    case .cancelled:
      self.init(code: "unavailable", message: "the call was cancelled before it came")
    case .tooManyCalls:
      self.init(code: "overloaded", message: "the daemon has all the calls it takes; try later")
    }
  }
}

extension Ending {
  static var overloaded: Ending {
    Ending(
      .refused,
      ToolError(code: "overloaded", message: "too much work waits here; try again later")
    )
  }
}
