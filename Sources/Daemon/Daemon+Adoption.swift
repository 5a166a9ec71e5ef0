internal import Calls
internal import DaemonWire
internal import EventLoop
internal import Sandbox

/// What an earlier run of the daemon left: each journaled call is taken over, or its end is known,
/// before the plane hears `Hello`.
extension Daemon {
  func adoptCalls() {
    for id in journal.folder.names() {
      guard Identifier.isValid(id), let folder = try? journal.folder.folder(id) else { continue }
      let shared = SharedFolder(folder)
      guard let entry = CallJournal(in: shared.folder) else {
        // Killed before it was journaled, so nothing was started.
        journal.folder.removeFolder(id)
        continue
      }
      adopt(id, entry, shared)
    }
  }

  private func adopt(_ id: String, _ entry: CallJournal, _ folder: SharedFolder) {
    let left = Duration.microseconds(max(0, entry.deadline - WallClock.microseconds))
    let call = LiveCall(
      id: id,
      tool: entry.tool,
      digest: entry.digest,
      requestBytes: Int(entry.requestBytes),
      deadline: .now + left
    )
    call.hasRequest = true
    live[id] = call
    let command = LiveCall.Command(key: entry.key)
    command.isTerminal = entry.isTerminal
    command.folder = folder
    command.positions = try? TransferPositions(in: folder.folder, named: CallJournal.File.positions)
    call.work = .command(command)
    restoreStreams(of: call, entry, command.positions)
    if let exit = keptExit(folder), let outcome = Calls.Outcome(exit.outcome) {
      call.exit = exit
      call.effects = keptEffects(folder)
      calls.adopt(id, outcome: outcome)
      log("call_kept", ["call": id, "outcome": "\(outcome)"])
      return
    }
    calls.adopt(id, outcome: nil)
    takeOver(call, command)
  }

  /// Rings begin where the earlier daemon had read to: what it had not delivered is a gap.
  private func restoreStreams(
    of call: LiveCall,
    _ entry: CallJournal,
    _ positions: TransferPositions?
  ) {
    let streams: [CallStream] = entry.isTerminal ? [.pty] : [.stdout, .stderr]
    call.outputs = streams.map { stream in
      let output = CallOutput(
        stream,
        ring: OutputRing(
          stream: stream,
          capacity: Int(entry.ringBytes),
          whenFull: entry.dropsOldest ? .dropOldest : .block,
          startingAt: positions?[Int(stream.rawValue)] ?? 0
        )
      )
      output.sent = 0
      return output
    }
    call.input = CallInput(startingAt: positions?[Int(CallStream.stdin.rawValue)] ?? 0)
  }

  private func keptExit(_ folder: SharedFolder) -> Exit? {
    guard let bytes = try? folder.folder.read(CallJournal.File.exit) else { return nil }
    return try? Exit(decoding: bytes)
  }

  private func keptEffects(_ folder: SharedFolder) -> Effects? {
    guard let bytes = try? folder.folder.read(CallJournal.File.effects) else { return nil }
    return try? Effects(decoding: bytes)
  }

  private func takeOver(_ call: LiveCall, _ command: LiveCall.Command) {
    guard let folder = command.folder else { return }
    do {
      let supervisor = try SupervisorLink.adopt(key: command.key, folder: folder.folder)
      log("call_adopted", ["call": call.id])
      watchDeadline(of: call)
      watch(supervisor, of: call, command)
      // Killed in the middle of a transfer: no position can be trusted any more.
      if command.positions?.inDoubt ?? true {
        for output in call.outputs { output.dropRest() }
        end(command, .abandoned)
      }
    } catch {
      let record = ExitRecord(in: folder.folder)
      for (index, output) in call.outputs.enumerated() {
        output.lose(record?.unread(index) ?? 0)
        output.close()
      }
      commandEnded(call, command, record.map(Ending.init) ?? .lost)
    }
  }
}

extension Calls.Outcome {
  init?(_ wire: DaemonWire.Outcome) {
    guard let number = UInt8(exactly: wire.rawValue) else { return nil }
    self.init(rawValue: number)
  }
}
