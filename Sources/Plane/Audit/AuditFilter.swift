internal import Ledger
internal import RPC
internal import SwiftProtobuf
internal import Wire

/// Which events someone asks for. What is set must all match.
struct AuditFilter: Sendable {
  private let request: Gatehouse_Plane_V1_SearchAuditRequest
  private let kinds: Set<EventKind>

  private static let maxKinds = 64

  /// - Throws: `invalidArgument` for a kind that there is none of.
  init(_ request: Gatehouse_Plane_V1_SearchAuditRequest) throws(PlaneError) {
    self.request = request
    guard request.kinds.count <= Self.maxKinds else {
      throw PlaneError(
        .invalidArgument,
        "at most \(Self.maxKinds) kinds of events can be asked for"
      )
    }
    var kinds: Set<EventKind> = []
    for name in request.kinds {
      let known = EventKind.known.filter { $0.name == name || $0.name.hasPrefix(name + ".") }
      guard !known.isEmpty else {
        throw PlaneError(
          .invalidArgument,
          "there is no kind of event '\(name)'; there are "
            + EventKind.known.map(\.name).joined(separator: ", ")
        )
      }
      kinds.formUnion(known)
    }
    self.kinds = kinds
  }

  func matches(_ event: LedgerEvent) -> Bool {
    let header = event.header
    return (kinds.isEmpty || kinds.contains(header.kind))
      && (request.sinceUnixUs == 0 || UInt64(max(0, header.time)) >= request.sinceUnixUs)
      && (request.untilUnixUs == 0 || UInt64(max(0, header.time)) <= request.untilUnixUs)
      && (request.workspace.isEmpty || header.workspace == request.workspace)
      && (request.chat.isEmpty || header.chat == request.chat)
      && (request.call.isEmpty || header.call == request.call)
      && (request.principal.isEmpty || isDone(header))
      && (request.tool.isEmpty && request.path.isEmpty || isToolCall(event))
  }

  /// What the index is asked for: an event that matches has one term of each group. Empty: it cannot
  /// help, since everything may match.
  var terms: [[SearchTerm]] {
    var groups: [[SearchTerm]] = []
    if !request.call.isEmpty { groups.append([.call(request.call)]) }
    if !request.chat.isEmpty { groups.append([.chat(request.chat)]) }
    if !request.path.isEmpty { groups.append([.path(Array(request.path.utf8)), .erasedIntent]) }
    if !request.tool.isEmpty { groups.append([.tool(request.tool), .erasedIntent]) }
    if !request.workspace.isEmpty { groups.append([.workspace(request.workspace)]) }
    if let name = request.principal.split(separator: "/").last {
      groups.append([.principal(String(name))])
    }
    if !kinds.isEmpty { groups.append(kinds.sorted { $0.number < $1.number }.map { .kind($0) }) }
    return groups
  }

  private func isDone(_ header: EventHeader) -> Bool {
    [header.principal?.id, header.onBehalfOf?.id].contains { id in
      guard let id else { return false }
      return id == request.principal || id.hasSuffix("/" + request.principal)
    }
  }

  /// Nobody can say what an intent was for whose content was erased: it may match.
  private func isToolCall(_ event: LedgerEvent) -> Bool {
    guard !event.isErasedIntent else { return true }
    let path = Array(request.path.utf8)
    if request.tool.isEmpty, event.effect(on: path) != nil { return true }
    guard let call = event.intent else { return false }
    return (request.tool.isEmpty || call.tool == request.tool)
      && (request.path.isEmpty || call.path == path)
  }
}

extension LedgerEvent {
  /// Of the intent of a call whose body can be read.
  var intent: Gatehouse_Ledger_V1_CallIntended? {
    guard header.kind == .callIntended, case .bytes(let bytes) = body else { return nil }
    return try? Gatehouse_Ledger_V1_Body(serializedBytes: bytes).callIntended
  }
}

extension LedgerEvent {
  /// What a call changed, of its end; nil where that was not reported or cannot be read.
  var effects: Gatehouse_Tools_V1_Effects? {
    guard header.kind == .callEnded, let end = decoded?.callEnded, end.hasEffects else {
      return nil
    }
    return end.effects
  }

  /// Whether it is of a call that did, or was asked to, change the file at `path`.
  func mayHaveChanged(_ path: [UInt8]) -> Bool {
    if let intent { return intent.changesFile && intent.path == path }
    return effect(on: path) != nil
  }

  /// What a call did to the file at `path`, of its end.
  func effect(on path: [UInt8]) -> Gatehouse_Tools_V1_FileEffect? {
    effects?.files.first { $0.path.elementsEqual(path) }
  }
}

extension Gatehouse_Ledger_V1_CallIntended {
  /// The path that a file tool is to work on: the first field of each of their requests.
  var path: [UInt8]? {
    guard tool.hasPrefix("files.") else { return nil }
    var reader = ProtobufReader(Array(request))
    while let field = try? reader.next() {
      if field.number == 1, case .bytes(let path) = field.value { return Array(path) }
    }
    return nil
  }

  /// Whether it may have changed the file.
  var changesFile: Bool { ["files.write", "files.edit", "files.upload"].contains(tool) }
}
