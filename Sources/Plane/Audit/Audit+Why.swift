internal import Broker
internal import Identity
internal import Ledger
internal import SwiftProtobuf
internal import Wire

extension Audit {
  /// How it came to a call, or to the last one that may have changed a file.
  ///
  /// - Throws: `notFound`.
  func why(
    _ request: Gatehouse_Plane_V1_WhyRequest,
    for principal: Principal
  ) async throws -> Gatehouse_Plane_V1_WhyResponse {
    let viewer = viewer(principal)
    let isCall = request.subject.hasPrefix("call_")
    var later = LaterCalls()
    let found =
      isCall
      ? try await intent(of: request.subject, viewer)
      : try await lastChange(
        of: request.subject,
        in: workspace(request.workspace, principal, viewer),
        viewer,
        &later
      )
    guard let intent = found else {
      let destination = isCall ? nil : Destination(request.subject)
      if let destination, destination.isCertain, later.erased.isEmpty {
        throw PlaneError(.failedPrecondition, destination.answer)
      }
      let elsewhere = destination.map { "; " + $0.answer } ?? ""
      throw PlaneError(
        .notFound,
        isCall
          ? "there is no call '\(request.subject)' that you may see"
          : "no call that you may see is known to have changed '\(request.subject)'; a path is one "
            + "from the workspace's root" + later.text + elsewhere
      )
    }
    let erasures = AuditErasures(reader)
    var response = Gatehouse_Plane_V1_WhyResponse()
    response.call = intent.header.call
    let chain = try await causes(of: intent) + (effects(of: intent))
    // All is one message. The call's own events are what was asked for, so the rest gives way.
    var room = Self.maxBodies
    for event in chain.reversed() where viewer.maySee(event.header) {
      var told = try await erasures.told(event)
      room -= told.shortenBody(to: min(room, Self.maxBody))
      response.events.append(told)
    }
    response.events.reverse()
    for event in later.erased { response.erased.append(try await erasures.told(event)) }
    response.moreErased = later.hasMore
    return response
  }

  /// Of one body, and of all, in bytes: a client takes a message of 1 MiB.
  private static let maxBody = 64 << 10
  private static let maxBodies = 512 << 10

  /// What may be meant as a place in the network, of which nothing is on record.
  private struct Destination {
    let text: String
    /// It is no path that anybody would ask for: a URL, or a host with its port.
    let isCertain: Bool

    /// Nil for what cannot be one.
    init?(_ subject: String) {
      let parts = subject.split(separator: ":", omittingEmptySubsequences: false)
      let isURL = subject.contains("://")
      let hasPort = parts.count >= 2 && UInt16(parts.last ?? "") != nil && !subject.contains("/")
      let labels = subject.split(separator: ".", omittingEmptySubsequences: false)
      let isName =
        labels.count >= 2
        && labels.allSatisfy { label in
          !label.isEmpty
            && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        }
      guard isURL || hasPort || isName else { return nil }
      text = subject
      isCertain = isURL || hasPort
    }

    var answer: String {
      "for '\(text)' as a destination there is no answer yet: connections of commands do not pass "
        + "through the plane so far, so none is on record. Which commands there were is: gatehouse audit "
        + "search --tool process.exec"
    }
  }

  /// Calls behind the last known change of a file that may have changed it too: what they did was
  /// erased. Newest first, the first few.
  private struct LaterCalls {
    private static let limit = 20
    private(set) var erased: [LedgerEvent] = []
    private(set) var hasMore = false

    mutating func add(_ event: LedgerEvent) {
      if erased.count < Self.limit { erased.append(event) } else { hasMore = true }
    }

    /// For people who find nothing else.
    var text: String {
      guard let newest = erased.first?.header else { return "" }
      let count = "\(erased.count - 1)" + (hasMore ? " and even" : "")
      let others = erased.count > 1 ? " and \(count) more" : ""
      return "; what may have was erased: event \(newest.sequence)\(others); by whom: gatehouse "
        + "audit show \(newest.sequence)"
    }
  }

  private func intent(of call: String, _ viewer: AuditViewer) async throws -> LedgerEvent? {
    var found: LedgerEvent?
    let last = max(1, reader.ledger.lastSequence)
    try await reader.forwards(in: 1...last, by: [[.call(call)]]) { event in
      guard event.header.kind == .callIntended, event.header.call == call else { return .more }
      found = viewer.maySee(event.header) ? event : nil
      return .enough
    }
    return found
  }

  /// The intent of the last call that says it changed the file; or of one of a file tool that was asked
  /// to, and whose daemon does not say.
  private func lastChange(
    of path: String,
    in workspace: String,
    _ viewer: AuditViewer,
    _ later: inout LaterCalls
  ) async throws -> LedgerEvent? {
    let bytes = Array(path.utf8)
    var last = reader.ledger.lastSequence
    var terms: [[SearchTerm]] = [[.path(bytes), .erasedIntent]]
    if !workspace.isEmpty { terms.append([.workspace(workspace)]) }
    while last > 0 {
      var found: LedgerEvent?
      try await reader.backwards(in: 1...last, by: terms) { event in
        guard workspace.isEmpty || event.header.workspace == workspace, viewer.maySee(event.header)
        else { return .more }
        if event.isErasedIntent { later.add(event) }
        guard event.mayHaveChanged(bytes) else { return .more }
        found = event
        return .enough
      }
      guard let found else { return nil }
      guard found.header.kind == .callIntended else {
        return try await self.intent(of: found.header.call, viewer)
      }
      // Its end lies behind it, and would have been found if it had changed the file.
      guard try await saysWhatItChanged(found) else { return found }
      last = found.header.sequence - 1
    }
    return nil
  }

  private func saysWhatItChanged(_ intent: LedgerEvent) async throws -> Bool {
    try await effects(of: intent).last?.effects != nil
  }

  /// What it comes from, oldest first; where a chat is behind it, with the chat's beginning.
  private func causes(of intent: LedgerEvent) async throws -> [LedgerEvent] {
    var causes: [LedgerEvent] = []
    var next = intent.header.cause
    // Each cause lies before its effect; so does an end of this.
    var before = intent.header.sequence
    while next > 0, next < before,
      let event = try await reader.ledger.read(from: next, limit: 1).first
    {
      causes.append(event)
      (before, next) = (next, event.header.cause)
    }
    return causes.reversed()
  }

  /// The call's own events, up to its end.
  private func effects(of intent: LedgerEvent) async throws -> [LedgerEvent] {
    var effects = [intent]
    let next = intent.header.sequence + 1
    let last = reader.ledger.lastSequence
    guard next <= last else { return effects }
    try await reader.forwards(in: next...last, by: [[.call(intent.header.call)]]) { event in
      guard event.header.call == intent.header.call else { return .more }
      effects.append(event)
      return event.header.kind == .callEnded ? .enough : .more
    }
    return effects
  }
}
