internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct AuditWhy: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why",
    abstract: "Who, on whose behalf, which prompt and which call: how it came to an effect.",
    discussion: """
      For a call's id; or for a path in a workspace, from its root: the last call that changed it, \
      whether by a file tool or by a command. Later calls that may have changed it, but whose content \
      was erased, are named, with who erased it. So are calls that ran at the same time and say that \
      they changed it too: which of them did is not known.
      """
  )

  @Argument(help: "A path from the workspace's root, or a call's id.")
  var subject: String

  @Option(help: "The workspace, by name or id.")
  var workspace: String?

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let (why, others) = try await client.withClient { client in
      let why: Gatehouse_Plane_V1_WhyResponse = try await client.call(
        "/gatehouse.plane.v1.Audit/Why",
        Gatehouse_Plane_V1_WhyRequest.with {
          $0.subject = subject
          $0.workspace = workspace ?? ""
        }
      )
      let others = try await rivals(of: why, client)
      return (why, others)
    }
    guard !output.json else { return try DataOutput.json(why) }
    let text = AuditText(DataOutput.style)
    try DataOutput.line(DataOutput.style.bold(Plain.text(subject)) + "  by " + Plain.text(why.call))
    for event in why.events { try DataOutput.line(text.line(event)) }
    if let caveat = why.caveat(others) {
      try DataOutput.line(DataOutput.style.yellow(Plain.text(caveat)))
    }
    for event in others { try DataOutput.line(text.line(event)) }
    guard !why.erased.isEmpty else { return }
    try DataOutput.line("later calls that may have changed it, and whose content was erased:")
    for event in why.erased { try DataOutput.line(text.line(event)) }
    if why.moreErased { try DataOutput.line("and more: gatehouse audit search --file \(subject)") }
  }

  /// What other calls say of the file that ended while the answer's call ran; and those that began
  /// meanwhile, and whose content was erased.
  private func rivals(
    of why: Gatehouse_Plane_V1_WhyResponse,
    _ client: PlaneClient
  ) async throws -> [Gatehouse_Plane_V1_AuditEvent] {
    guard !output.json, why.sharedWith > 0, !subject.hasPrefix("call_"), let intent = why.intent,
      let end = why.end
    else { return [] }
    var found: [Gatehouse_Plane_V1_AuditEvent] = []
    let request = Gatehouse_Plane_V1_SearchAuditRequest.with {
      $0.fromSequence = intent.header.sequence + 1
      $0.workspace = intent.header.workspace
      $0.path = subject
    }
    try await client.stream("/gatehouse.plane.v1.Audit/Search", request) {
      (event: Gatehouse_Plane_V1_AuditEvent) in
      // Those behind its end are among the answer's own.
      guard event.header.sequence < end.header.sequence, event.header.call != why.call else {
        return
      }
      found.append(event)
    }
    return found
  }
}

extension Gatehouse_Plane_V1_WhyResponse {
  fileprivate var intent: Gatehouse_Plane_V1_AuditEvent? {
    events.first { $0.kind == "call.intended" && $0.header.call == call }
  }

  fileprivate var end: Gatehouse_Plane_V1_AuditEvent? {
    events.first { $0.kind == "call.ended" && $0.header.call == call }
  }

  /// So many other commands ran in the workspace meanwhile.
  fileprivate var sharedWith: UInt32 { end?.body.callEnded.effects.sharedWith ?? 0 }

  /// Why the answer is in doubt, where `others` are events of other calls; nil: it is not.
  fileprivate func caveat(_ others: [Gatehouse_Plane_V1_AuditEvent]) -> String? {
    guard sharedWith > 0 else { return nil }
    var calls: [String] = []
    for event in others where !calls.contains(event.header.call) { calls.append(event.header.call) }
    guard !calls.isEmpty else {
      return Plain.count(sharedWith, "other command")
        + " ran at the same time; what changed may be their doing"
    }
    let (who, which) =
      calls.count == 1 ? ("another call", "either") : ("other calls", "any of them")
    return "\(who) ran at the same time: \(calls.joined(separator: ", ")); "
      + "\(which) may have changed it"
  }
}
