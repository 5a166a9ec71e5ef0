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
      return
    case .unknown:
      outcome = .lost
      return
    }
    guard let ordered = Self.outcome(record.cause) else { return }
    outcome = record.treeGone ? ordered : .lost
    if record.cause == .abandoned { exit.error = .abandoned }
  }

  /// What an order to end a command makes of its call; the daemon that gave it may be gone.
  private static func outcome(_ cause: ExitRecord.Cause) -> Calls.Outcome? {
    switch cause {
    case .none: nil
    case .cancelled, .abandoned: .cancelled
    case .timedOut: .timedOut
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

  /// Its end was ordered before it was started.
  init(beforeStart cause: ExitRecord.Cause) {
    self.init(Self.outcome(cause) ?? .cancelled, cause == .abandoned ? .abandoned : nil)
  }

  /// Of a file tool whose daemon ended before it did.
  static var interrupted: Ending {
    var ending = Ending(
      .lost,
      ToolError(
        code: "unavailable",
        message:
          "the workspace's daemon ended while the tool ran, so nobody knows whether it did its work; "
          + "look at the file, then ask again if need be"
      )
    )
    ending.exit.treeGone = true
    return ending
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
    exit.limitSize()
    return exit
  }
}

extension Exit {
  /// For an inventory.
  var inShort: Exit { Exit(outcome: outcome, code: code, signal: signal, treeGone: treeGone) }

  /// Its response has at most so many bytes: what is left of 1 MiB holds everything else.
  static let maxResponseBytes = 1_024 * 1_024 - 2 * ToolError.maxMessageBytes

  /// An exit that is no message could not be sent, now or later.
  fileprivate mutating func limitSize() {
    if response.count > Self.maxResponseBytes {
      let count = response.count
      response = []
      code = 1
      error = ToolError(
        .tooLarge,
        "the answer has \(count) bytes, and \(Self.maxResponseBytes) fit a message; ask for less"
      )
    }
    error = error?.limited
  }
}

extension ToolError {
  /// Longer texts bring what was asked for back to who asked: a request has up to 1 MiB.
  static let maxMessageBytes = 32 * 1_024

  /// With a message that fits into any other, cut between characters.
  var limited: ToolError {
    let count = message.utf8.count
    guard count > Self.maxMessageBytes else { return self }
    var cut = message.utf8.index(message.startIndex, offsetBy: Self.maxMessageBytes)
    while cut.samePosition(in: message.unicodeScalars) == nil {
      message.utf8.formIndex(before: &cut)
    }
    var result = self
    result.message = message[..<cut] + "… (\(count) bytes)"
    return result
  }

  fileprivate static let abandoned = ToolError(
    .unavailable,
    "the workspace's daemon ended or was away too long, so the command and all it started was "
      + "ended; run it again once the workspace is linked"
  )
}
