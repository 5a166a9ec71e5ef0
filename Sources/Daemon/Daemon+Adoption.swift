internal import Calls
internal import DaemonWire
internal import EventLoop
internal import LogLines
internal import Sandbox

/// What an earlier run of the daemon left: each journaled call is taken over, or its end is known,
/// before the plane hears `Hello`.
extension Daemon {
  func adoptCalls() {
    for id in journal.folder.names() where Identifier.isValid(id) {
      do {
        let shared = SharedFolder(try journal.folder.folder(id))
        guard let entry = try CallJournal(in: shared.folder) else {
          // Killed before it was journaled, so nothing was started.
          journal.folder.removeFolder(id)
          continue
        }
        try adopt(id, entry, shared)
      } catch {
        leave(id, error)
      }
    }
  }

  /// Of a journal that cannot be read nothing is made up: the plane hears that the call is not here, of
  /// another run of the daemon than may have started it.
  private func leave(_ id: String, _ error: any Error) {
    instance = Self.makeInstance()
    let path = "\(journal.folder.path)/\(id)"
    guard let other = error as? CallJournal.OtherVersion else {
      let remedy =
        "mend what is wrong and restart the daemon, to have its end told; or remove \(path)"
      return log("call_unreadable", ["call": id, "error": "\(error)", "remedy": remedy], .error)
    }
    log(
      "call_of_another_version",
      [
        "call": id, "version": "\(other.version)", "ours": "\(CallJournal.version)",
        "remedy":
          "start the gatehouse-toold that wrote it, to have its end told; or remove \(path)",
      ],
      .error
    )
  }

  private func adopt(
    _ id: String,
    _ entry: CallJournal,
    _ folder: SharedFolder
  ) throws(SystemError) {
    let exit = try keptExit(folder)
    // Without them nobody knows which bytes were taken.
    let positions =
      try entry.isCommand
      ? TransferPositions(in: folder.folder, named: CallJournal.File.positions) : nil
    let left = Duration.microseconds(max(0, entry.deadline - BootClock.microseconds))
    let call = LiveCall(
      id: id,
      tool: entry.tool,
      digest: entry.digest,
      requestBytes: Int(entry.requestBytes),
      deadline: .now + left
    )
    call.hasRequest = true
    live[id] = call
    guard entry.isCommand else { return adopt(call, folder, exit) }
    let command = LiveCall.Command(key: entry.key)
    command.isTerminal = entry.isTerminal
    command.folder = folder
    command.positions = positions
    call.work = .command(command)
    restoreStreams(of: call, entry, command)
    if let exit, let outcome = Calls.Outcome(exit.outcome) {
      call.exit = exit
      call.effects = keptEffects(folder)
      calls.adopt(id, outcome: outcome)
      // Let go, and not reaped by the program before this one.
      _ = Program.isRunningChild(positions?.supervisor ?? 0)
      log("call_kept", ["call": id, "outcome": "\(outcome)"])
      return
    }
    calls.adopt(id, outcome: nil)
    takeOver(call, command)
  }

  /// A file tool's: how it ended was written down, or nobody knows.
  private func adopt(_ call: LiveCall, _ folder: SharedFolder, _ exit: Exit?) {
    call.work = .files(Cancellation())
    call.folder = folder
    if let exit, let outcome = Calls.Outcome(exit.outcome) {
      call.exit = exit
      call.effects = keptEffects(folder)
      calls.adopt(call.id, outcome: outcome)
      log("call_kept", ["call": call.id, "outcome": "\(outcome)"])
      return
    }
    calls.adopt(call.id, outcome: nil)
    call.effects = Effects(
      source: .tool,
      incomplete: ["the daemon ended while the tool ran, so nobody knows what it changed"]
    )
    toolEnded(call.id, .interrupted)
  }

  /// Rings are as the earlier daemon left them.
  private func restoreStreams(
    of call: LiveCall,
    _ entry: CallJournal,
    _ command: LiveCall.Command
  ) {
    let streams: [CallStream] = entry.isTerminal ? [.pty] : [.stdout, .stderr]
    var buffer = loop.takeScratch()
    defer { loop.returnScratch(buffer) }
    call.outputs = streams.map { stream in
      guard let place = command.place else {
        return CallOutput(stream, ring: OutputRing(stream, entry))
      }
      return CallOutput(stream, entry, leftIn: place, &buffer)
    }
    let stdin = Int(CallStream.stdin.rawValue)
    call.input = CallInput(startingAt: command.positions?[.end, stdin] ?? 0)
  }

  private func keptExit(_ folder: SharedFolder) throws(SystemError) -> Exit? {
    guard let bytes = try folder.folder.read(CallJournal.File.exit) else { return nil }
    return try? Exit(decoding: bytes)
  }

  private func keptEffects(_ folder: SharedFolder) -> Effects? {
    guard let bytes = try? folder.folder.read(CallJournal.File.effects) else { return nil }
    return try? Effects(decoding: bytes)
  }

  private func takeOver(_ call: LiveCall, _ command: LiveCall.Command) {
    guard let folder = command.folder else { return }
    do {
      let supervisor = try SupervisorLink.adopt(
        key: command.key,
        folder: folder.folder,
        process: command.positions?.supervisor ?? 0
      )
      log("call_adopted", ["call": call.id])
      watchDeadline(of: call)
      watch(supervisor, of: call, command)
      // Killed in the middle of a transfer: no position can be trusted any more.
      if command.positions?.inDoubt ?? true {
        for output in call.outputs { output.dropUncounted() }
        end(command, .abandoned)
      }
    } catch  where !error.isNobodyThere {
      log("call_not_adopted_yet", ["call": call.id, "error": error.description], .warning)
      let id = call.id
      _ = schedule(at: .now + .milliseconds(500)) { daemon in
        guard let call = daemon.live[id], let command = call.command else { return }
        daemon.takeOver(call, command)
      }
    } catch {
      let record = ExitRecord(in: folder.folder)
      for (index, output) in call.outputs.enumerated() {
        keepRest(of: output, index, command)
        output.lose(record?.unread(index))
        output.close()
      }
      commandEnded(call, command, record.map(Ending.init) ?? .lost)
    }
  }
}

extension Daemon {
  /// What the supervisor read of a pipe before it went.
  func keepRest(of output: CallOutput, _ index: Int, _ command: LiveCall.Command) {
    guard let place = command.place else { return }
    do {
      let rest = try place.folder.folder.read(CallJournal.File.rest(index))
      output.keepRest(rest ?? [], place)
    } catch {
      output.lose(nil)
    }
  }
}

extension Calls.Outcome {
  init?(_ wire: DaemonWire.Outcome) {
    guard let number = UInt8(exactly: wire.rawValue) else { return nil }
    self.init(rawValue: number)
  }
}
