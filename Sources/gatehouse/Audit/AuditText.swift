internal import Client
internal import LogLines
internal import SwiftProtobuf
internal import Wire

/// Events as people read them.
struct AuditText {
  typealias Event = Gatehouse_Plane_V1_AuditEvent

  private let style: Style

  init(_ style: Style) { self.style = style }

  /// One line: number, time, kind, who, and what.
  func line(_ event: Event) -> String {
    let kind = event.kind.padded(to: 19)
    return style.dim("\(event.header.sequence)".padded(to: 7) + " " + Self.time(event)) + "  "
      + style.bold(kind) + " "
      + [Self.who(event), Self.what(event)].filter { !$0.isEmpty }
      .joined(separator: "  ")
  }

  /// All of it, a field a line.
  func whole(_ event: Event) -> String {
    let header = event.header
    var rows = [
      ("event", "\(header.sequence)  \(event.kind)"), ("time", Self.time(event)),
      ("who", header.principal.id), ("for", header.onBehalfOf.id),
      ("workspace", header.workspace), ("chat", header.chat), ("call", header.call),
    ]
    if header.turn > 0 { rows.append(("turn", "\(header.turn), step \(header.step)")) }
    if header.cause > 0 { rows.append(("cause", "event \(header.cause)")) }
    rows.append(("evidence", header.evidence == .daemon ? "a daemon's word" : "the plane saw it"))
    rows.append(("body", event.hasErasure ? Self.text(event.erasure) : Self.text(event.bodyState)))
    var text = ""
    for (name, value) in rows where !value.isEmpty {
      text += style.dim(name.padded(to: 10)) + "  " + Plain.text(value) + "\n"
    }
    if event.hasBody { text += Plain.text(event.body.textFormatString()) }
    return text
  }

  private static func time(_ event: Event) -> String {
    Timestamp.text(event.header.timeUnixUs / 1_000)
  }

  private static func who(_ event: Event) -> String {
    let who = short(event.header.principal.id)
    let whom = short(event.header.onBehalfOf.id)
    return Plain.text(whom.isEmpty ? who : "\(who) for \(whom)")
  }

  /// `user/ann` of a SPIFFE id.
  private static func short(_ id: String) -> String {
    let parts = id.split(separator: "/", omittingEmptySubsequences: true)
    return parts.count > 2 ? parts.dropFirst(2).joined(separator: "/") : id
  }

  private static func text(_ erasure: Gatehouse_Plane_V1_Erasure) -> String {
    "erased by \(short(erasure.principal.id)), event \(erasure.sequence): \(erasure.rule)"
  }

  private static func text(_ state: Gatehouse_Plane_V1_BodyState) -> String {
    switch state {
    case .present: "below"
    case .erased: "erased; an event says by whom"
    case .leftOut: "left out"
    case .unreadable: "not what the header says; run: gatehouse audit verify"
    default: ""
    }
  }

  /// What happened, in a few words.
  static func what(_ event: Event) -> String {
    let header = event.header
    let place = [
      header.call, header.call.isEmpty ? header.chat : "",
      header.call.isEmpty && header.chat.isEmpty ? header.workspace : "",
    ]
    let erased =
      event.bodyState != .erased
      ? [] : [event.hasErasure ? text(event.erasure) : text(event.bodyState)]
    let words = place.filter { !$0.isEmpty } + erased + details(event)
    return words.filter { !$0.isEmpty }.map { clipped($0) }.joined(separator: "  ")
  }

  private static func details(_ event: Event) -> [String] {
    switch event.body.kind {
    case .callIntended(let call): [call.tool, call.subject]
    case .callCancelled(let cancel): [cancel.reason]
    case .callEnded(let end): [outcome(end.exit), end.hasEffects ? Names.text(end.effects) : ""]
    case .callFound(let found):
      [
        "was called lost, and "
          + (found.running ? "still ran" : found.hasExit ? outcome(found.exit) : "had ended")
      ]
    case .workspaceCreated(let change), .workspaceStarted(let change),
      .workspaceStopped(let change), .workspaceDeleted(let change):
      ["'\(change.name)'", change.reason]
    case .enrolled(let made), .renewed(let made): certificate(made)
    case .tokenMade(let token): ["for \(short(token.identity))", until(token.untilUnix)]
    case .refused(let refused):
      [refused.code, refused.reason, refused.more > 0 ? "(and \(refused.more) more)" : ""]
    case .linkOpened(let link): [link.daemonVersion, "from \(link.peer)"]
    case .linkClosed(let link): [link.reason]
    case .chatPrompted(let prompt): ["\"\(prompt.prompt)\""]
    case .modelAnswered(let answer):
      [answer.text] + answer.tools.map { "→ \($0.name) \($0.argumentsJson)" }
    case .modelFailed(let failure): [failure.reason]
    case .modelCut(let cut): [cut.text]
    case .toolAnswered(let answer): [answer.name, answer.result]
    case .chatEnded(let end): [end.state, end.reason]
    case .bodiesErased(let erased): [erased.scope, erased.rule]
    case .ledgerResumed(let resumed): [resumed.reason]
    case .ledgerRestored(let restored):
      [restored.until > 0 ? "without events to \(restored.until)" : "", restored.reason]
    case .keyRotated(let rotated): [rotated.newKey]
    case .planeStarted(let started): [started.listen]
    case .callOffered, .callStarted, .chatStarted, .chatStopAsked, .stepBegun, .planeStopped,
      .ledgerBegun, nil:
      []
    }
  }

  private static func certificate(_ made: Gatehouse_Ledger_V1_Enrolled) -> [String] {
    let serial = made.serial.isEmpty ? "" : "certificate \(made.serial)"
    return [serial, until(made.untilUnix), "from \(made.peer)"]
  }

  private static func until(_ seconds: UInt64) -> String {
    seconds == 0 ? "" : "until \(Timestamp.text(seconds * 1_000))"
  }

  private static func outcome(_ exit: Gatehouse_Tools_V1_Exit) -> String {
    let how = Names.text(exit.outcome)
    switch exit.outcome {
    case .exited:
      return exit.hasError ? "\(how) \(exit.code)  \(exit.error.message)" : "\(how) \(exit.code)"
    case .signalled: return "\(how) \(exit.signal)"
    default: return exit.hasError ? "\(how)  \(exit.error.message)" : how
    }
  }

  private static func clipped(_ text: String) -> String {
    let line = String(Plain.text(text).map { $0.isNewline ? " " : $0 })
    return line.count > 90 ? line.prefix(89) + "…" : line
  }
}

extension Gatehouse_Ledger_V1_CallIntended {
  /// What it is done to: a path, or a command's words.
  var subject: String {
    if tool == "process.exec",
      let exec = try? Gatehouse_Tools_V1_ExecRequest(serializedBytes: request)
    {
      return exec.argv.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }
    if tool.hasPrefix("files."),
      // Each of their requests has the path as its first field.
      let read = try? Gatehouse_Tools_V1_StatRequest(serializedBytes: request)
    {
      return String(decoding: read.path, as: UTF8.self)
    }
    return ""
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
