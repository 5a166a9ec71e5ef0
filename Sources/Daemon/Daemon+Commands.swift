internal import Calls
internal import Crypto
internal import DaemonWire
internal import EventLoop
internal import RPC
internal import Sandbox

/// Commands: their supervisors, and their pipes to and from the rings.
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
          whenFull: request.whenFull
        )
      )
    }
    launch(call, request, command.key)
  }

  /// On the spawner: journals the call, then starts its supervisor.
  private func launch(_ call: LiveCall, _ request: CommandRequest, _ key: [UInt8]) {
    let plan = SupervisorPlan(
      key: key,
      arguments: request.arguments,
      environment: request.environment(from: place.environment),
      terminal: request.terminal,
      hasInput: request.hasInput,
      view: place.view
    )
    let entry = CallJournal(
      tool: call.tool,
      digest: call.digest,
      requestBytes: UInt32(call.requestBytes),
      key: key,
      deadline: WallClock.microseconds + Int64((call.deadline - .now) / .microseconds(1)),
      isTerminal: request.terminal != nil,
      dropsOldest: request.whenFull == .dropOldest,
      ringBytes: request.output.ringBytes
    )
    let (id, journal, root, program) = (call.id, journal, root, options.program)
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
      toolEnded(id, .overloaded)
    }
  }

  private func launched(_ id: String, _ result: Result<Launch, ToolError>) {
    guard let call = live[id], let command = call.command else { return }
    switch result {
    case .failure(let error): toolEnded(id, Ending(.spawnFailed, error))
    case .success(let launch):
      command.folder = launch.folder
      command.positions = launch.positions
      watch(launch.supervisor, of: call, command)
    }
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
      command.link = nil
      return toolEnded(id, .lost)
    }
    if let cause = command.ending { supervisor.send(.end(cause)) }
  }

  // MARK: What supervisors say

  private func supervisorSaid(_ id: String) {
    guard let call = live[id], let command = call.command else { return }
    while let link = command.link, let event = link.receive() {
      switch event {
      case .started(let streams): opened(streams, of: call, command)
      case .ended(let record):
        command.record = record
        command.isOpen = true
        if case .notStarted = record.ending { for output in call.outputs { closePipe(output) } }
        for output in call.outputs { readPipe(of: call, output) }
        finishIfDone(call, command)
        if command.ending != nil { limitTail(of: id) }
      case .gone: supervisorGone(call, command)
      }
    }
  }

  private func opened(_ streams: CommandStreams, of call: LiveCall, _ command: LiveCall.Command) {
    command.isOpen = true
    command.input = streams.input
    switch streams.outputs {
    case .apart(let output, let error):
      call.output(.stdout)?.open(output)
      call.output(.stderr)?.open(error)
    case .terminal(let terminal): call.output(.pty)?.open(terminal)
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
      if let pipe = output.pipe {
        readPipe(of: call, output)
        output.lose(pipe.descriptor.readableBytes)
      } else {
        output.lose(record?.unread(index) ?? 0)
      }
      closePipe(output)
    }
    toolEnded(call.id, record.map(Ending.init) ?? .lost)
  }

  /// The command has ended and its output is read: the supervisor may go.
  private func finishIfDone(_ call: LiveCall, _ command: LiveCall.Command) {
    guard let record = command.record, call.outputs.allSatisfy(\.isClosed) else { return }
    letGo(command)
    toolEnded(call.id, Ending(record))
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
      call.input.forgetCredit()
      carry.call.cancel()
      log("tail_dropped", ["call": id])
      perform(calls.handle(id, .carryClosed(attachment: carry.attachment)), of: id)
    }
    finishIfDone(call, command)
  }

  // MARK: Output

  /// Buffers that are read of a pipe to be dropped, of 128 KiB each; a pipe holds up to 1 MiB.
  private static let maxDropped = 64

  /// Moves what a pipe holds into its ring, as far as there is room, and sends it.
  func readPipe(of call: LiveCall, _ output: CallOutput) {
    guard let pipe = output.pipe, let command = call.command else { return }
    var buffer = loop.takeScratch()
    // One buffer in a turn, so that others have theirs; all of it once the command has ended.
    var isMore = true
    var turns = 0
    while isMore {
      turns += 1
      guard output.room > 0 else {
        stopWatching(output)
        break
      }
      isMore = transfer(pipe, into: output, &buffer, command) && command.record != nil
      // More than a pipe holds: somebody writes who outlived the command, and is not waited for.
      if output.isDropping, turns > Self.maxDropped { closePipe(output) }
      isMore = isMore && output.pipe != nil
    }
    loop.returnScratch(buffer)
    if output.room > 0, output.pipe != nil { startWatching(output, of: call) }
    pump(call)
  }

  /// - Returns: whether bytes came.
  private func transfer(
    _ pipe: SharedDescriptor,
    into output: CallOutput,
    _ buffer: inout [UInt8],
    _ command: LiveCall.Command
  ) -> Bool {
    command.positions?.begin()
    let result = try? pipe.descriptor.read(into: &buffer, limit: output.room)
    if case .bytes(let count) = result { output.append(buffer[..<count]) }
    command.positions?.commit(output.end, at: Int(output.stream.rawValue))
    switch result {
    case .bytes: return true
    // The command is gone, and whoever still holds the pipe is none of it.
    case .wouldBlock: if command.record != nil { closePipe(output) }
    case .end, nil: closePipe(output)
    }
    return false
  }

  /// Goes on where a ring was full.
  func resumeReading(_ call: LiveCall) {
    for output in call.outputs where output.registration == nil { readPipe(of: call, output) }
    if let command = call.command, call.exit == nil { finishIfDone(call, command) }
  }

  private func startWatching(_ output: CallOutput, of call: LiveCall) {
    guard output.registration == nil, let pipe = output.pipe else { return }
    let (id, stream) = (call.id, output.stream)
    let handler = DescriptorHandler { [weak self] in
      self?.assumeIsolated { $0.pipeReady(id, stream) }
    }
    output.registration = try? loop.register(pipe.number, for: .readable, handler: handler)
  }

  /// A pipe whose writers are gone is always ready, so one that nobody reads is not watched.
  private func stopWatching(_ output: CallOutput) {
    guard let registration = output.registration, let pipe = output.pipe else { return }
    loop.deregister(registration, pipe.number)
    output.registration = nil
  }

  private func closePipe(_ output: CallOutput) {
    stopWatching(output)
    output.close()
  }

  private func pipeReady(_ id: String, _ stream: CallStream) {
    guard let call = live[id], let output = call.output(stream) else { return }
    readPipe(of: call, output)
    if let command = call.command { finishIfDone(call, command) }
  }

  // MARK: Input

  /// Moves what arrived into the command's input, as far as there is room.
  func writeInput(of call: LiveCall) {
    guard let command = call.command else { return }
    while let next = call.input.next, let pipe = command.input {
      command.positions?.begin()
      let result = try? pipe.descriptor.write(next.span)
      var credit = 0
      switch result {
      case .bytes(let count): credit = call.input.wrote(count)
      case .wouldBlock: break
      case .end, nil: credit = call.input.discard()
      }
      command.positions?.commit(call.input.taken, at: Int(CallStream.stdin.rawValue))
      call.carry?.call.credit(credit)
      if case .wouldBlock = result {
        watchInput(of: call, command)
        break
      }
    }
    acknowledgeInput(of: call)
    if call.input.isOver { closeInput(command) }
  }

  /// Nothing reads it: what comes counts as taken.
  func discardInput(of call: LiveCall) {
    call.carry?.call.credit(call.input.discard())
    acknowledgeInput(of: call)
  }

  private func watchInput(of call: LiveCall, _ command: LiveCall.Command) {
    guard command.inputRegistration == nil, let pipe = command.input else { return }
    let id = call.id
    let handler = DescriptorHandler { [weak self] in
      self?.assumeIsolated { $0.inputReady(id) }
    }
    // A terminal is watched for output already, by another descriptor of the same file.
    guard let copy = try? pipe.descriptor.duplicate() else { return discardInput(of: call) }
    let watched = SharedDescriptor(copy)
    command.watchedInput = watched
    command.inputRegistration = try? loop.register(watched.number, for: .writable, handler: handler)
  }

  private func inputReady(_ id: String) {
    guard let call = live[id], let command = call.command else { return }
    stopWatchingInput(command)
    writeInput(of: call)
  }

  private func stopWatchingInput(_ command: LiveCall.Command) {
    if let registration = command.inputRegistration, let watched = command.watchedInput {
      loop.deregister(registration, watched.number)
    }
    (command.inputRegistration, command.watchedInput) = (nil, nil)
  }

  /// The byte that ends a terminal's input at the beginning of a line: Ctrl-D.
  private static let endOfTransmission: [UInt8] = [4]

  private func closeInput(_ command: LiveCall.Command) {
    guard let input = command.input else { return }
    if command.isTerminal {
      _ = try? input.descriptor.write(Self.endOfTransmission.span)
    } else {
      command.link?.send(.closeInput)
    }
    command.input = nil
  }

  // MARK: End

  /// Orders the end of a command, also of one that is being started.
  func end(_ command: LiveCall.Command, _ cause: ExitRecord.Cause) {
    guard command.ending == nil else { return }
    command.ending = cause
    command.link?.send(.end(cause))
  }

  /// Lets supervisor and pipes go. The supervisor ends the command if it still runs.
  func letGo(_ command: LiveCall.Command) {
    stopWatchingInput(command)
    command.input = nil
    command.link?.send(.release)
    stopWatching(command)
  }

  private func stopWatching(_ command: LiveCall.Command) {
    guard let link = command.link else { return }
    if let registration = command.registration {
      loop.deregister(registration, link.socket.descriptor.number)
    }
    (command.registration, command.link) = (nil, nil)
    // It is going: a moment at most, but not on the loop. The socket must close meanwhile.
    if let child = link.child { try? spawner.submit { Program.reap(child) } }
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
      let folder = SharedFolder(try journal.folder.folder(id))
      let positions = try TransferPositions(in: folder.folder, named: CallJournal.File.positions)
      try folder.folder.write(CallJournal.File.call, entry.encoded)
      let supervisor = try SupervisorLink.launch(
        plan,
        program: program,
        in: place.descriptor,
        folder: folder.folder
      )
      return .success(Launch(supervisor: supervisor, folder: folder, positions: positions))
    } catch let error as ToolError {
      return .failure(error)
    } catch {
      return .failure(
        ToolError(code: "unavailable", message: "no supervisor could be started: \(error)")
      )
    }
  }

  private static func workingFolder(
    _ path: [UInt8],
    _ root: SharedRoot
  ) throws(ToolError) -> SharedDescriptor {
    try ToolError.translating(path) { () throws(SystemError) in
      try root.root.hold(folder: path)
    }
  }
}

extension ToolError {
  /// A tree of processes is found by way of `/proc`; a command whose tree cannot be killed is not
  /// started.
  fileprivate static let withoutProc = ToolError(
    code: "unavailable",
    message: "commands need /proc, and the workspace has none; mount it and try again"
  )
}
