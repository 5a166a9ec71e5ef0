internal import Calls
internal import EventLoop
internal import LogLines
internal import RPC
internal import Sandbox

/// The pipes of commands: output goes into the rings, and input comes from what arrived, as far as
/// there is room.
extension Daemon {
  /// Buffers that are read of a pipe to be dropped, of 128 KiB each; a pipe holds up to 1 MiB.
  private static let maxDropped = 64

  /// Moves what a pipe holds into its ring, as far as there is room, and sends it: one buffer in a turn, or
  /// with `isLast`, when nobody will look again, all of it.
  func readPipe(of call: LiveCall, _ output: CallOutput, isLast: Bool = false) {
    guard output.pipe != nil, let command = call.command else { return }
    guard !hasEnded else { return stopWatching(output) }
    output.isWaitingForDisk = false
    var buffer = loop.takeScratch()
    // One buffer in a turn, so that others have theirs; all of it once the command has ended, and of what is
    // on its way already.
    var isMore = true
    var turns = 0
    while isMore {
      turns += 1
      guard output.room > 0 else {
        stopWatching(output)
        break
      }
      isMore =
        transfer(output, &buffer, call, command)
        && (isLast || command.record != nil || output.isStaged)
      // More than a pipe holds: somebody writes who outlived the command, and is not waited for.
      if output.isDropping, turns > Self.maxDropped { closePipe(output) }
      isMore = isMore && output.pipe != nil
    }
    loop.returnScratch(buffer)
    if output.room > 0, output.pipe != nil, !output.isWaitingForDisk {
      startWatching(output, of: call)
    }
    pump(call)
  }

  /// - Returns: whether bytes came.
  private func transfer(
    _ output: CallOutput,
    _ buffer: inout [UInt8],
    _ call: LiveCall,
    _ command: LiveCall.Command
  ) -> Bool {
    guard let place = command.place else { preconditionFailure("a pipe before the journal") }
    do {
      switch try output.take(&buffer, place) {
      case .bytes: return true
      // The command is gone, and whoever still holds the pipe is none of it.
      case .wouldBlock: if command.record != nil { closePipe(output) }
      case .end: closePipe(output)
      }
    } catch {
      diskFailed(error, output, of: call)
    }
    return false
  }

  /// The bytes are in the pipe still. A full disk is waited for, as a full ring is; one that is broken is
  /// not, and the rest becomes a gap.
  private func diskFailed(_ error: SystemError, _ output: CallOutput, of call: LiveCall) {
    let willMend = error.isOutOfSpace || error.isOutOfDescriptors
    log(
      willMend ? "output_waits" : "output_dropped",
      ["call": call.id, "stream": "\(output.stream)", "error": error.description],
      .warning
    )
    stopWatching(output)
    output.isWaitingForDisk = true
    if !willMend { output.dropRest() }
    let (id, stream) = (call.id, output.stream)
    _ = schedule(at: .now + .seconds(1)) { daemon in
      guard let call = daemon.live[id], let output = call.output(stream), output.isWaitingForDisk
      else { return }
      daemon.readPipe(of: call, output)
      if let command = call.command { daemon.finishIfDone(call, command) }
    }
  }

  /// Goes on where a ring was full.
  func resumeReading(_ call: LiveCall) {
    for output in call.outputs where output.registration == nil && !output.isWaitingForDisk {
      readPipe(of: call, output)
    }
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

  func closePipe(_ output: CallOutput) {
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
    guard let command = call.command, !hasEnded else { return }
    while let next = call.input.next, let pipe = command.input {
      command.positions?.begin()
      let result = try? pipe.descriptor.write(next.span)
      var credit = 0
      switch result {
      case .bytes(let count): credit = call.input.wrote(count)
      case .wouldBlock: break
      case .end, nil: credit = call.input.discard()
      }
      command.positions?.commit(call.input.taken, to: .end, Int(CallStream.stdin.rawValue))
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

  func stopWatchingInput(_ command: LiveCall.Command) {
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
      // Before: a successor does not know, and twice it would end what reads next.
      command.positions?[.closed, Int(CallStream.stdin.rawValue)] = 1
      _ = try? input.descriptor.write(Self.endOfTransmission.span)
    } else {
      insist(.closeInput, command.link)
    }
    command.input = nil
  }
}
