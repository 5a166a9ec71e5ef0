internal import ArgumentParser
internal import Plane

/// How long a call may take, as `--timeout` has it.
struct TimeLimit: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "End it after so long: 90 (seconds), 500ms, 1s, 5m, 2h. Not given, or 0: the plane's "
        + "calls.default_timeout, 24h unless its settings say else.",
      valueName: "time"
    )
  )
  var timeout: Span?

  /// For `InvokeStart.timeout_ms`, where 0 asks for the plane's default.
  var milliseconds: UInt64 { timeout?.milliseconds ?? 0 }

  struct Span: ExpressibleByArgument {
    let milliseconds: UInt64

    init(minutes: UInt64) { milliseconds = minutes * 60_000 }

    var defaultValueDescription: String { "\(milliseconds / 60_000)m" }

    /// Whole seconds, or a number and its unit, as in settings. Nil for what is neither.
    init?(argument: String) {
      if let seconds = UInt32(argument) {
        milliseconds = UInt64(seconds) * 1_000
      } else if let span = SettingValue.milliseconds(argument) {
        milliseconds = UInt64(span)
      } else {
        return nil
      }
    }
  }
}
