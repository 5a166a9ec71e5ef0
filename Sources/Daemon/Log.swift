package import LogLines
internal import Sandbox
internal import Synchronization

/// One line per event on standard error, for people or for programs; the keys are the plane's.
///
/// No secrets, and no bytes of commands.
package struct Log: Sendable {
  /// While set, `debug` is written whatever the level is. A signal's handler may switch it.
  private static let isDebug = Atomic<Bool>(false)

  /// Switches all logs of the process to `debug`, or back. Only what signal-safety(7) allows.
  package static func toggleDebug() {
    isDebug.store(!isDebug.load(ordering: .relaxed), ordering: .relaxed)
  }

  private let level: LogLevel
  private let format: LogFormat
  private let write: @Sendable (String) -> Void

  /// To standard error. Without a format: text on a terminal, else JSON.
  package static func standardError(_ level: LogLevel = .info, _ format: LogFormat? = nil) -> Log {
    let format = format ?? (StandardStream.error.isTerminal ? .text : .json)
    return Log(level, format) { StandardStream.error.write($0) }
  }

  package init(
    _ level: LogLevel = .info,
    _ format: LogFormat = .text,
    _ write: @escaping @Sendable (String) -> Void
  ) {
    self.level = level
    self.format = format
    self.write = write
  }

  func callAsFunction(
    _ event: String,
    _ fields: KeyValuePairs<String, String> = [:],
    _ level: LogLevel = .info
  ) {
    let isWanted = Self.isDebug.load(ordering: .relaxed) && level >= .debug
    guard level >= self.level || isWanted else { return }
    write(
      format.line(
        LogRecord(
          time: UInt64(max(0, WallClock.microseconds / 1_000)),
          level: level,
          event: event,
          fields: fields.map { ($0, $1) }
        )
      )
    )
  }
}
