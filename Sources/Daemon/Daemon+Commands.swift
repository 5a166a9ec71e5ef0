internal import Calls
internal import Crypto
internal import DaemonWire
internal import EventLoop
internal import LogLines
internal import RPC
internal import Sandbox

/// Commands and their supervisors, from the start to the end.
extension Daemon {
  // MARK: Start

  func startCommand(_ call: LiveCall, _ bytes: [UInt8]) {
    let request: CommandRequest
    do {
      request = try CommandRequest(tool: call.tool, request: bytes)
    } catch {
      return toolEnded(call.id, Ending(.spawnFailed, error))
    }
    let command = LiveCall.Command(key: SecureRandom.bytes(16))
    command.isTerminal = request.terminal != nil
    call.work = .command(command)
    call.outputs = request.streams.map { stream in
      CallOutput(
        stream,
        ring: OutputRing(
          stream: stream,
          capacity: Int(request.output.ringBytes),
          spill: request.spillBytes,
          whenFull: request.whenFull
        )
      )
    }
    launch(call, request, command.key)
  }

  /// Has the root looked at, then the command started.
  private func launch(_ call: LiveCall, _ request: CommandRequest, _ key: [UInt8]) {
    let id = call.id
    survey.before { baseline in
      self.later { $0.surveyed(id, baseline, request, key) }
    }
  }

  /// On the spawner: journals the call, then starts its supervisor.
  private func surveyed(
    _ id: String,
    _ baseline: Survey.Baseline,
    _ request: CommandRequest,
    _ key: [UInt8]
  ) {
    guard let call = live[id], let command = call.command else { return survey.abandon(baseline) }
    command.baseline = baseline
    // Its end was ordered meanwhile: nothing of it is to run, not even for a moment.
    if let cause = command.ending { return notStarted(call, command, Ending(beforeStart: cause)) }
    let plan = SupervisorPlan(
      key: key,
      arguments: request.arguments,
      environment: request.environment(from: place.environment),
      terminal: request.terminal,
      hasInput: request.hasInput,
      view: place.view,
      descriptorLimit: DescriptorLimit.inherited
    )
    let entry = CallJournal(
      tool: call.tool,
      digest: call.digest,
      requestBytes: UInt32(call.requestBytes),
      key: key,
      deadline: call.journaledDeadline,
      isTerminal: request.terminal != nil,
      dropsOldest: request.whenFull == .dropOldest,
      ringBytes: request.output.ringBytes,
      spillBytes: UInt32(request.spillBytes)
    )
    let (journal, root, program) = (journal, root, options.program)
    do {
      try spawner.submit {
        let result = Launch.run(
          plan,
          entry,
          id,
          in: request.directory,
          root: root,
          journal: journal,
          program: program
        )
        self.later { $0.launched(id, result) }
      }
    } catch {
      notStarted(call, command, .overloaded)
    }
  }

  private func launched(_ id: String, _ result: Result<Launch, ToolError>) {
    guard let call = live[id], let command = call.command else { return }
    switch result {
    case .failure(let error): notStarted(call, command, Ending(.spawnFailed, error))
    case .success(let launch):
      command.folder = launch.folder
      command.positions = launch.positions
      watch(launch.supervisor, of: call, command)
    }
  }

  /// Nothing ran, so nothing was changed.
  private func notStarted(_ call: LiveCall, _ command: LiveCall.Command, _ ending: Ending) {
    if let baseline = command.baseline { survey.abandon(baseline) }
    command.baseline = nil
    call.effects = Effects(source: .scan)
    toolEnded(call.id, ending)
  }

  /// Listens to a supervisor, just started or taken over.
  func watch(_ supervisor: SupervisorLink, of call: LiveCall, _ command: LiveCall.Command) {
    let id = call.id
    command.link = supervisor
    let handler = DescriptorHandler { [weak self] in
      self?.assumeIsolated { $0.supervisorSaid(id) }
    }
    do {
      try supervisor.socket.descriptor.setNonBlocking()
      command.registration = try loop.register(
        supervisor.socket.descriptor.number,
        for: .readable,
        handler: handler
      )
    } catch {
      // Not watched, it would be lost: its supervisor hears the socket close and ends it.
      stopWatching(command)
      return commandEnded(call, command, .lost)
    }
    if let cause = command.ending { insist(.end(cause), supervisor) }
    if isMakingWay { stopIfDone() }
  }

  // MARK: What supervisors say

  private func supervisorSaid(_ id: String) {
    guard let call = live[id], let command = call.command, !hasEnded else { return }
    while let link = command.link, let event = link.receive() {
      switch event {
      case .started(let streams): opened(streams, of: call, command)
      case .ended(let record):
        command.record = record
        command.isOpen = true
        // By itself: what is ordered from here on does not change how.
        if record.cause == .none { perform(calls.handle(id, .toolDone), of: id) }
        if case .notStarted = record.ending { for output in call.outputs { closePipe(output) } }
        for output in call.outputs { readPipe(of: call, output) }
        finishIfDone(call, command)
        if command.ending != nil { limitTail(of: id) }
      case .gone: supervisorGone(call, command)
      case .otherVersion(let version): supervisorIsOther(version, call, command)
      }
    }
  }

  private func opened(_ streams: CommandStreams, of call: LiveCall, _ command: LiveCall.Command) {
    command.isOpen = true
    let isClosed = command.positions?[.closed, Int(CallStream.stdin.rawValue)] == 1
    command.input = isClosed ? nil : streams.input
    switch streams.outputs {
    case .apart(let output, let error):
      call.output(.stdout)?.open(output)
      call.output(.stderr)?.open(error)
    case .terminal(let terminal, let staging): call.output(.pty)?.open(terminal, through: staging)
    }
    for output in call.outputs {
      try? output.pipe?.descriptor.setNonBlocking()
      readPipe(of: call, output)
    }
    try? command.input?.descriptor.setNonBlocking()
    writeInput(of: call)
  }

  /// The supervisor went without saying how the command ended; it may have written it.
  private func supervisorGone(_ call: LiveCall, _ command: LiveCall.Command) {
    stopWatching(command)
    guard command.record == nil else { return finishIfDone(call, command) }
    let record = command.folder.flatMap { ExitRecord(in: $0.folder) }
    command.record = record
    for (index, output) in call.outputs.enumerated() {
      if output.pipe != nil {
        readPipe(of: call, output, isLast: true)
        output.lose(output.unread)
      } else {
        // It went as this daemon came: it had kept what nobody read.
        keepRest(of: output, index, command)
        output.lose(record?.unread(index))
      }
      closePipe(output)
    }
    commandEnded(call, command, record.map(Ending.init) ?? .lost)
  }

  /// The program was replaced: by another than this daemon's, so a supervisor of it started nothing; or by
  /// this one, and a supervisor of the one before runs a command that nobody here can speak of.
  private func supervisorIsOther(_ version: UInt8, _ call: LiveCall, _ command: LiveCall.Command) {
    let error = ToolError(
      code: "unavailable",
      message:
        "the supervisor of this command speaks version \(version) of its protocol, and the daemon "
        + "\(SupervisorProtocol.version): the program was replaced; restart the daemon, then try again"
    )
    log("supervisor_of_another_version", ["call": call.id, "version": "\(version)"], .error)
    stopWatching(command)
    for output in call.outputs { closePipe(output) }
    guard command.baseline == nil else {
      return notStarted(call, command, Ending(.spawnFailed, error))
    }
    var ending = Ending(.lost, error)
    ending.exit.treeGone = false
    commandEnded(call, command, ending)
  }

  /// The command has ended and its output is read: the supervisor may go.
  func finishIfDone(_ call: LiveCall, _ command: LiveCall.Command) {
    guard let record = command.record, call.outputs.allSatisfy(\.isClosed) else { return }
    letGo(command)
    commandEnded(call, command, Ending(record))
  }

  /// Looks for what the command changed, then ends its call.
  func commandEnded(_ call: LiveCall, _ command: LiveCall.Command, _ ending: Ending) {
    guard !command.isSurveyed, call.exit == nil else { return }
    command.isSurveyed = true
    // Looking takes a while, and is no part of the command: neither deadline nor cancel ends it now.
    if let timer = call.deadlineTimer { loop.cancel(timer) }
    perform(calls.handle(call.id, .toolDone), of: call.id)
    guard let baseline = command.baseline else {
      call.effects = Survey.unknown(
        "the daemon was started anew while the command ran, so nobody knows how the workspace was before"
      )
      return toolEnded(call.id, ending)
    }
    let id = call.id
    survey.after(baseline) { effects in
      self.later { daemon in
        daemon.live[id]?.effects = effects
        daemon.toolEnded(id, ending)
      }
    }
  }

  /// After an order to end a call whose command has ended: who would read its output may have
  /// stopped reading, and the exit must not wait for them. What is not taken in time becomes a gap.
  func limitTail(of id: String) {
    guard live[id]?.command?.record != nil else { return }
    _ = schedule(at: .now + options.tail) { $0.cutTail(id) }
  }

  private func cutTail(_ id: String) {
    guard let call = live[id], let command = call.command else { return }
    for output in call.outputs { output.dropRest() }
    for output in call.outputs { readPipe(of: call, output) }
    // Its queue leaves only as its reader takes it: the exit comes on another one.
    if let carry = call.carry, carry.call.queuedBytes > 0 {
      call.carry = nil
      call.input.carryLost()
      carry.call.cancel()
      log("tail_dropped", ["call": id])
      perform(calls.handle(id, .carryClosed(attachment: carry.attachment)), of: id)
    }
    finishIfDone(call, command)
  }

  // MARK: End

  /// Orders the end of a command, also of one that is being started.
  func end(_ command: LiveCall.Command, _ cause: ExitRecord.Cause) {
    guard command.ending == nil else { return }
    command.ending = cause
    insist(.end(cause), command.link)
  }

  /// What nothing makes up for: of signals and sizes some may be lost on a supervisor that does not read.
  func insist(_ order: SupervisorOrder, _ link: SupervisorLink?) {
    guard let link, !link.send(order) else { return }
    _ = schedule(at: .now + .milliseconds(50)) { $0.insist(order, link) }
  }

  /// Lets supervisor and pipes go. The supervisor ends the command if it still runs.
  func letGo(_ command: LiveCall.Command) {
    stopWatchingInput(command)
    command.input = nil
    insist(.release, command.link)
    stopWatching(command)
  }

  private func stopWatching(_ command: LiveCall.Command) {
    guard let link = command.link else { return }
    if let registration = command.registration {
      loop.deregister(registration, link.socket.descriptor.number)
    }
    (command.registration, command.link) = (nil, nil)
    guard let child = link.child else { return }
    departing.insert(child)
    reap(child, after: .milliseconds(10))
  }

  /// A supervisor that was let go ends in a moment; one that was told nothing, or is stopped, later.
  private func reap(_ child: Int32, after wait: Duration) {
    _ = schedule(at: .now + wait) { daemon in
      guard daemon.departing.contains(child) else { return }
      if Program.isRunningChild(child) {
        daemon.reap(child, after: min(wait * 2, .seconds(1)))
      } else {
        daemon.departing.remove(child)
      }
    }
  }
}

/// A supervisor that was started for a journaled call.
struct Launch: Sendable {
  let supervisor: SupervisorLink
  let folder: SharedFolder
  let positions: TransferPositions

  /// Journals the call, then starts it. Blocks.
  static func run(
    _ plan: SupervisorPlan,
    _ entry: CallJournal,
    _ id: String,
    in directory: [UInt8],
    root: SharedRoot,
    journal: SharedFolder,
    program: String
  ) -> Result<Launch, ToolError> {
    guard ThisProcess.isInProc else { return .failure(.withoutProc) }
    do {
      let place = try workingFolder(directory, root)
      let folder = try entry.write(id, in: journal)
      let positions = try TransferPositions(in: folder.folder, named: CallJournal.File.positions)
      let supervisor = try SupervisorLink.launch(
        plan,
        program: program,
        in: place.descriptor,
        folder: folder.folder
      )
      positions.supervisor = supervisor.child ?? 0
      return .success(Launch(supervisor: supervisor, folder: folder, positions: positions))
    } catch {
      // A journal says that it may run.
      journal.folder.removeFolder(id)
      return .failure(ToolError(notLaunched: error))
    }
  }

  private static func workingFolder(
    _ path: [UInt8],
    _ root: SharedRoot
  ) throws(ToolError) -> SharedDescriptor {
    do {
      return try root.root.hold(folder: path)
    } catch {
      throw ToolError(error, folder: path)
    }
  }
}

extension ToolError {
  /// What is not written down is not started.
  init(notJournaled error: SystemError) {
    guard error.isOutOfSpace else {
      self.init(
        code: "unavailable",
        message: "the call could not be written down, so it was not started: \(error)"
      )
      return
    }
    self.init(
      code: "no_space",
      message:
        "the call could not be written down, so it was not started: No space left on the disk of the "
        + "daemon's state folder; free some there, then try again"
    )
  }

  fileprivate init(notLaunched error: any Error) {
    switch error {
    case let error as ToolError: self = error
    case let error as SystemError where error.isOutOfSpace: self.init(notJournaled: error)
    default:
      self.init(code: "unavailable", message: "no supervisor could be started: \(error)")
    }
  }

  /// A tree of processes is found by way of `/proc`; a command whose tree cannot be killed is not
  /// started.
  fileprivate static let withoutProc = ToolError(
    code: "unavailable",
    message: "commands need /proc, and the workspace has none; mount it and try again"
  )
}
