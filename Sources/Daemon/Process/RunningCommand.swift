internal import Sandbox

/// A command that was started, with our ends of its pipes.
struct RunningCommand {
  let process: Int32
  private let isTerminal: Bool
  private var input: SharedDescriptor?
  /// Output and error, or the terminal.
  private let outputs: [SharedDescriptor]
  /// What the daemon moves the terminal's output through. Held here, so that what is in it is not lost with
  /// a daemon.
  private let staging: Pipe?

  /// Starts what the plan says, in the folder `directory`.
  ///
  /// - Throws: `SpawnFailure`; `SystemError` when pipes or the sandbox cannot be made.
  init(_ plan: SupervisorPlan, in directory: SharedDescriptor) throws {
    isTerminal = plan.terminal != nil
    let theirs: [SharedDescriptor]
    if let size = plan.terminal {
      let terminal = try Terminal(size)
      theirs = [terminal.secondary, terminal.secondary, terminal.secondary]
      outputs = [terminal.primary]
      staging = try Pipe()
    } else {
      staging = nil
      let (output, error) = (try Pipe(), try Pipe())
      let pipe = plan.hasInput ? try Pipe() : nil
      theirs = [try pipe?.reading ?? .null(), output.writing, error.writing]
      outputs = [output.reading, error.reading]
      input = pipe?.writing
    }
    let command = ConfinedCommand(
      arguments: plan.arguments,
      environment: plan.environment,
      descriptorLimit: plan.descriptorLimit
    )
    // Only numbers are passed on: an optimizer lets an array go after its last use, and with it these
    // descriptors would close before the command has them.
    process = try withExtendedLifetime(theirs) {
      try command.start(
        .init(input: theirs[0].number, output: theirs[1].number, error: theirs[2].number),
        terminal: plan.terminal != nil,
        in: directory,
        view: plan.view
      )
    }
  }

  var report: SupervisorReport {
    .started(process: process, hasInput: input != nil, isTerminal: isTerminal)
  }

  /// What goes with `report`.
  var descriptors: [SharedDescriptor] {
    (input.map { [$0] } ?? []) + outputs + (staging.map { [$0.reading, $0.writing] } ?? [])
  }

  /// What its outputs hold, bytes.
  var unread: [UInt64] {
    outputs.map { output in
      output.descriptor.readableBytes + (staging?.reading.descriptor.readableBytes ?? 0)
    }
  }

  /// Writes down what its outputs hold, for a daemon that comes later. The command is gone.
  ///
  /// - Returns: for each, how many bytes could not be.
  func keepRest(in folder: borrowing StateFolder) -> [UInt64] {
    var left = unread
    for (index, output) in outputs.enumerated() where left[index] > 0 {
      var rest: [UInt8] = []
      for source in [staging?.reading, output].compactMap(\.self) {
        rest += source.descriptor.readWaiting(maxBytes: CallOutput.restRoom - rest.count)
      }
      let isKept = (try? folder.write(CallJournal.File.rest(index), rest)) != nil
      left[index] = unread[index] + (isKept ? 0 : UInt64(rest.count))
    }
    return left
  }

  mutating func closeInput() { input = nil }

  /// To what is in the terminal's foreground; without a terminal, to the command's own group.
  func signal(_ number: Int32) {
    let foreground = isTerminal ? outputs.first?.descriptor.foregroundGroup : nil
    Signals.send(number, toGroup: foreground ?? process, below: ThisProcess.id)
  }

  func resize(_ size: TerminalSize) {
    // Not a terminal, or one that is gone: nothing to resize.
    if isTerminal { try? outputs.first?.descriptor.resizeTerminal(size) }
  }
}
