internal import Calls
internal import DaemonWire
internal import EventLoop
internal import RPC
internal import Sandbox

/// What the daemon holds of one call beside its state in `DaemonCalls`. Stays on the daemon's loop.
final class LiveCall {
  let id: String
  let tool: String
  let digest: [UInt8]
  /// What arrived of the request; emptied once the tool has it.
  var request: [UInt8] = []
  /// The tool has the whole request.
  var hasRequest = false
  /// The request's whole length.
  let requestBytes: Int
  let deadline: ContinuousClock.Instant
  var deadlineTimer: LoopTimer?
  var outputs: [CallOutput] = []
  var input = CallInput()
  var work = Work.none
  var carry: Carry?
  /// What it changed; `nil`: it did not run, or nobody knows yet.
  var effects: Effects?
  /// Of a journaled call that is no command; a command has its own.
  var folder: SharedFolder?
  /// Set once the tool has ended and all its output is in the rings.
  var exit: Exit?

  enum Work {
    case none
    case files(Cancellation)
    case command(Command)
  }

  init(
    id: String,
    tool: String,
    digest: [UInt8],
    requestBytes: Int,
    deadline: ContinuousClock.Instant
  ) {
    self.id = id
    self.tool = tool
    self.digest = digest
    self.requestBytes = requestBytes
    self.deadline = deadline
  }

  var command: Command? { if case .command(let command) = work { command } else { nil } }

  /// Microseconds of `BootClock`, for a daemon that comes after.
  var journaledDeadline: Int64 {
    BootClock.microseconds + Int64((deadline - .now) / .microseconds(1))
  }

  func output(_ stream: CallStream) -> CallOutput? { outputs.first { $0.stream == stream } }

  /// Bytes of stdin and request that need not be sent again.
  var received: [StreamOffset] {
    [
      StreamOffset(stream: .stdin, offset: input.received),
      StreamOffset(
        stream: .request,
        offset: UInt64(hasRequest ? requestBytes : request.count)
      ),
    ]
  }

  /// The `Carry` stream that carries the call now.
  struct Carry {
    let call: ClientCall
    let link: Int
    let attachment: Int
    var isExitSent = false
  }

  /// A command and its supervisor.
  final class Command {
    let key: [UInt8]
    var link: SupervisorLink?
    var registration: Registration?
    var folder: SharedFolder?
    var positions: TransferPositions?
    /// Where its output is kept; `nil` until it is journaled.
    var place: CallOutput.Place? {
      guard let folder, let positions else { return nil }
      return CallOutput.Place(folder: folder, positions: positions)
    }
    var input: SharedDescriptor?
    var watchedInput: SharedDescriptor?
    var inputRegistration: Registration?
    /// The supervisor gave its pipes, or said that there are none.
    var isOpen = false
    var isTerminal = false
    var record: ExitRecord?
    /// How the root was before it; `nil` of a command that an earlier daemon started.
    var baseline: Survey.Baseline?
    /// It has ended, and what it changed is being looked for.
    var isSurveyed = false
    /// An order that came before there was a supervisor.
    var ending: ExitRecord.Cause?

    init(key: [UInt8]) { self.key = key }
  }
}
