internal import Broker
internal import Calls
internal import Host
internal import Identity
internal import LogLines
internal import RPC
internal import Synchronization

/// Says what happens in the broker and at the listeners: one line for each link that comes and goes,
/// each call that ends, and each refusal.
///
/// Told on the broker's loop, so the lines are made by the log's own thread. Never requests, output
/// or secrets: names, ids, numbers and reasons.
struct EventLog: Sendable {
  private let sink: LogSink
  private let isOn: @Sendable (LogLevel) -> Bool
  private let throttle = LogThrottle()

  init(
    sink: LogSink = .standardError,
    isOn: @escaping @Sendable (LogLevel) -> Bool = PlaneLog.isOn
  ) {
    self.sink = sink
    self.isOn = isOn
  }

  func record(_ event: BrokerEvent) {
    switch event {
    case .linked(let link): write(.info, "link_up") { Self.fields(link) }
    case .unlinked(let link, let status):
      write(.info, "link_down") {
        Self.fields(link) + [
          ("calls", "\(link.liveCalls)"), ("duration_ms", "\(link.age.wholeMilliseconds)"),
          ("reason", status.isOK ? "the daemon ended it" : status.description),
        ]
      }
    case .callAccepted(let id, let order):
      write(.debug, "call_accepted") { [("call", id)] + Self.fields(order) }
    case .callRefused(let order, let status):
      writeRefusal("call_refused") { Self.fields(order) + [("reason", status.description)] }
    case .callOffered, .callStarted, .callCancelled: break  // its end says enough
    case .callFound(let call, let found):
      write(.notice, "call_found") {
        [
          ("call", call.id), ("running", "\(found.isRunning)"),
          ("outcome", found.outcome.map { "\($0)" } ?? ""),
        ]
      }
    case .callEnded(let call): write(.info, "call_ended") { Self.fields(call) }
    case .outputNotKept(let call, let reason):
      writeRefusal("call_output_not_kept", .error) { [("call", call), ("reason", reason)] }
    case .claimRefused(let call, let principal):
      writeRefusal("ticket_refused") { [("call", call), ("principal", "\(principal)")] }
    }
  }

  func record(_ event: ServerEvent, on listener: String) {
    switch event {
    case .handshakeFailed(let peer, let failure, let message):
      // Port scans and probes do this all day.
      let level: LogLevel = failure == .closedByPeer ? .debug : .info
      writeRefusal("handshake_failed", level) {
        [
          ("listener", listener), ("peer", peer), ("reason", failure.rawValue), ("error", message),
        ]
      }
    case .refused(let peer, let path, let status):
      writeRefusal("refused") {
        let principal = (peer.identity as? Principal).map { [("principal", "\($0)")] } ?? []
        return principal + [
          ("listener", listener), ("method", path), ("peer", peer.address),
          ("reason", status.description),
        ]
      }
    case .protocolBroken(let peer, let message):
      writeRefusal("protocol_error") {
        [("listener", listener), ("peer", peer), ("error", message)]
      }
    }
  }

  private typealias Fields = LogRecord.Fields

  /// A refusal is the peer's doing: it must not be able to fill the log.
  private func writeRefusal(
    _ event: String,
    _ level: LogLevel = .info,
    _ fields: @escaping @Sendable () -> Fields
  ) {
    guard isOn(level) else { return }
    switch throttle.allows(event, at: .now) {
    case .no: return
    case .yes(let suppressed):
      write(level, event) {
        suppressed > 0 ? fields() + [("suppressed", "\(suppressed)")] : fields()
      }
    }
  }

  private func write(
    _ level: LogLevel,
    _ event: String,
    _ fields: @escaping @Sendable () -> Fields
  ) {
    guard isOn(level) else { return }
    let time = ThisProcess.unixMilliseconds
    sink.add {
      let record = LogRecord(time: time, level: level, event: event, fields: fields())
      return PlaneLog.format.line(record, isColoured: PlaneLog.isColoured)
    }
  }

  private static func fields(_ link: LinkReport) -> Fields {
    [
      ("workspace", link.workspace.id), ("name", link.workspace.name),
      ("epoch", "\(link.epoch)"), ("instance", hex(link.instance?.bytes ?? [])),
      ("daemon", link.daemonVersion), ("peer", link.peerAddress),
    ]
  }

  private static func fields(_ order: CallOrder) -> Fields {
    [
      ("workspace", String(order.workspace.prefix(64))), ("principal", "\(order.principal)"),
      ("tool", String(order.tool.prefix(128))),
    ]
  }

  private static func fields(_ call: CallReport) -> Fields {
    [
      ("call", call.call.id), ("workspace", call.call.workspace.id),
      ("principal", "\(call.call.order.principal)"), ("tool", call.call.order.tool),
      ("outcome", LogRecord.word("\(call.outcome)")), ("code", "\(call.code)"),
      ("duration_ms", "\(call.time.wholeMilliseconds)"), ("output_bytes", "\(call.outputBytes)"),
      ("stdin_bytes", "\(call.stdinBytes)"), ("reason", LogRecord.word("\(call.reason)")),
    ]
  }

  static func hex(_ bytes: [UInt8]) -> String {
    bytes.reduce(into: "") { text, byte in
      text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
  }
}

/// So many lines of a kind in a second, and then silence until the next.
final class LogThrottle: Sendable {
  static let linesPerSecond = 20

  enum Decision: Equatable {
    /// With how many were suppressed since the last.
    case yes(suppressed: Int)
    case no
  }

  private struct Kind {
    var began: ContinuousClock.Instant
    var lines = 0
    var suppressed = 0
  }

  private let kinds = Mutex<[String: Kind]>([:])

  func allows(_ event: String, at now: ContinuousClock.Instant) -> Decision {
    kinds.withLock { kinds in
      var kind = kinds[event] ?? Kind(began: now)
      defer { kinds[event] = kind }
      if now - kind.began >= .seconds(1) { (kind.began, kind.lines) = (now, 0) }
      kind.lines += 1
      guard kind.lines <= Self.linesPerSecond else {
        kind.suppressed += 1
        return .no
      }
      defer { kind.suppressed = 0 }
      return .yes(suppressed: kind.suppressed)
    }
  }
}
