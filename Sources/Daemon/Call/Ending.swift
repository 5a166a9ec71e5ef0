internal import Calls
internal import DaemonWire
internal import Sandbox

/// How a call's tool ended, before the call's own state says what that makes of the call.
struct Ending {
  var outcome: Calls.Outcome
  var exit: Exit

  /// A command's end.
  init(_ record: ExitRecord) {
    exit = Exit(durationUs: record.microseconds, treeGone: record.treeGone)
    switch record.ending {
    case .ended(.exited(let code)):
      outcome = .exited
      exit.code = code
    case .ended(.signalled(let signal)):
      outcome = .signalled
      exit.signal = signal
    case .notStarted(let failure):
      outcome = .spawnFailed
      exit.error = ToolError(code: failure.code, message: failure.message)
    case .unknown: outcome = .lost
    }
  }

  /// The answer of a tool that is no command.
  init(_ result: Result<[UInt8], ToolError>, microseconds: UInt64) {
    outcome = .exited
    exit = Exit(durationUs: microseconds, treeGone: true)
    switch result {
    case .success(let response): exit.response = response
    case .failure(let error):
      exit.code = 1
      exit.error = error
    }
  }

  /// Nothing ran: `refused`, `spawnFailed`, or an end before the start.
  init(_ outcome: Calls.Outcome, _ error: ToolError?) {
    self.outcome = outcome
    exit = Exit(error: error, treeGone: true)
  }

  /// Nobody knows.
  static var lost: Ending {
    var ending = Ending(
      .lost,
      ToolError(
        code: "internal",
        message: "the command's supervisor is gone and left no record of its end"
      )
    )
    ending.exit.treeGone = false
    return ending
  }

  /// The message for a call that ended with `outcome`, which an order may have changed. An order
  /// counts as done only when the processes are gone.
  func message(_ outcome: Calls.Outcome, _ totals: [StreamTotal]) -> Exit {
    var exit = exit
    let isKnown = outcome == self.outcome || exit.treeGone
    exit.outcome = DaemonWire.Outcome(rawValue: Int32((isKnown ? outcome : .lost).rawValue))
    exit.totals = totals
    return exit
  }
}
