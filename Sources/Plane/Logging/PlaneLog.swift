internal import Host
package import LogLines
internal import Logging
internal import Synchronization

/// How the plane's process logs.
package struct LogOptions: Sendable, Equatable {
  package var level: LogLevel = .info
  /// Nil: text where standard error is a terminal, else JSON.
  package var format: LogFormat?

  package init() {}

  /// Takes what was given on a command line; nil changes nothing.
  package mutating func set(level: String?, format: String?) throws(PlaneError) {
    do throws(SettingValue.Problem) {
      if let level { self.level = try SettingValue.choice(level, LogLevel.self) }
    } catch {
      throw PlaneError(.invalidArgument, "--log-level '\(level ?? "")' \(error.message)")
    }
    do throws(SettingValue.Problem) {
      if let format {
        self.format = format == "auto" ? nil : try SettingValue.choice(format, LogFormat.self)
      }
    } catch {
      throw PlaneError(.invalidArgument, "--log-format '\(format ?? "")' \(error.message), auto")
    }
  }
}

/// The process's log: its level, which a signal switches, and its form.
package enum PlaneLog {
  private struct State {
    var configured = LogLevel.info
    var isDebug = false
    var format = LogFormat.text
    var isColoured = false
  }

  private static let state = Mutex(State())
  /// The level, where whoever logs much looks first; above all levels before `start`.
  private static let current = Atomic<Int>(Int.max)

  static var level: LogLevel { state.withLock { $0.isDebug ? .debug : $0.configured } }

  static var format: LogFormat { state.withLock { $0.format } }

  static var isColoured: Bool { state.withLock { $0.isColoured } }

  /// Whether lines of this level are written now; costs next to nothing.
  @Sendable static func isOn(_ level: LogLevel) -> Bool {
    rank(level) >= current.load(ordering: .relaxed)
  }

  /// Makes this the log of all that is logged in the process. Once. From then on SIGUSR1 switches to
  /// `debug`, and back again.
  static func start(_ options: LogOptions) throws(HostError) {
    set(options)
    LoggingSystem.bootstrap { PlaneLogHandler(label: $0) }
    try UserSignal.onEach {
      let level = toggleDebug()
      Plane.log.log(level: .init(level), "log_level", metadata: ["log_level": "\(level)"])
    }
  }

  static func set(_ options: LogOptions) {
    let isTerminal = StandardError.isTerminal
    let refusesColour = ThisProcess.variable("NO_COLOR").map { !$0.isEmpty } ?? false
    state.withLock { state in
      state.configured = options.level
      state.isDebug = false
      state.format = options.format ?? (isTerminal ? .text : .json)
      state.isColoured = isTerminal && !refusesColour && ThisProcess.variable("TERM") != "dumb"
    }
    current.store(rank(options.level), ordering: .relaxed)
  }

  /// - Returns: the level from now on.
  @discardableResult
  static func toggleDebug() -> LogLevel {
    let level = state.withLock { state in
      state.isDebug.toggle()
      return state.isDebug ? .debug : state.configured
    }
    current.store(rank(level), ordering: .relaxed)
    return level
  }

  private static func rank(_ level: LogLevel) -> Int {
    LogLevel.allCases.firstIndex(of: level) ?? 0
  }
}

// Both have the same names.
extension Logger.Level {
  init(_ level: LogLevel) { self = Logger.Level(rawValue: level.rawValue) ?? .info }
}

extension LogLevel {
  init(_ level: Logger.Level) { self = LogLevel(rawValue: level.rawValue) ?? .info }
}

/// Turns swift-log's events into lines of the process's log. The message is the event's name, the
/// metadata its fields.
struct PlaneLogHandler: LogHandler {
  let label: String
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  private let sink: LogSink

  init(label: String, sink: LogSink = .standardError) {
    self.label = label
    self.sink = sink
  }

  /// The process's, so that one signal switches all loggers.
  var logLevel: Logger.Level {
    get { Logger.Level(PlaneLog.level) }
    set {}
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let time = ThisProcess.unixMilliseconds
    var fields = metadata
    fields.merge(metadataProvider?.get() ?? [:]) { _, new in new }
    fields.merge(event.metadata ?? [:]) { _, new in new }
    if let error = event.error { fields["error"] = "\(error)" }
    sink.add { [fields] in
      let record = LogRecord(
        time: time,
        level: LogLevel(event.level),
        event: event.message.description,
        fields: fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value.description) }
      )
      return PlaneLog.format.line(record, isColoured: PlaneLog.isColoured)
    }
  }
}
