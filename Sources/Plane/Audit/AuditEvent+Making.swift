internal import Broker
internal import Crypto
internal import FoundationEssentials
internal import Ledger
internal import SwiftProtobuf
internal import Wire

extension Gatehouse_Plane_V1_AuditEvent {
  init(_ event: LedgerEvent, withoutBody: Bool) {
    self.init()
    header = .init(event.header)
    kind = event.header.kind.name
    headerBytes = Data(event.header.canonicalBytes)
    switch event.body {
    case .none: bodyState = .none
    case .erased: bodyState = .erased
    case .unreadable: bodyState = .unreadable
    case .bytes where withoutBody: bodyState = .leftOut
    case .bytes(let bytes):
      guard let read = try? Gatehouse_Ledger_V1_Body(serializedBytes: bytes) else {
        bodyState = .unreadable
        return
      }
      bodyState = .present
      body = read
    }
  }
}

extension Gatehouse_Plane_V1_AuditEvent {
  /// Leaves out what is large of the body, if it has more than `limit` bytes.
  ///
  /// - Returns: how many it has then.
  mutating func shortenBody(to limit: Int) -> Int {
    // `Diff` tells them.
    if body.callEnded.hasEffects {
      body.callEnded.effects = body.callEnded.effects.withoutTexts
    }
    guard bodyBytes > limit else { return bodyBytes }
    bodyState = .leftOut
    switch body.kind {
    case .callIntended: body.callIntended.request = Data()
    case .callEnded: body.callEnded.exit.response = Data()
    default: clearBody()
    }
    if bodyBytes > max(limit, Self.smallBody) { clearBody() }
    return bodyBytes
  }

  private static let smallBody = 1_024

  private var bodyBytes: Int {
    // What was decoded can be encoded.
    hasBody ? (try? body.serializedBytes() as [UInt8])?.count ?? 0 : 0
  }
}

extension Gatehouse_Ledger_V1_Header {
  fileprivate init(_ header: EventHeader) {
    self.init()
    schema = EventHeader.schema
    sequence = header.sequence
    timeUnixUs = UInt64(max(0, header.time))
    kind = header.kind.number
    if let who = header.principal { principal = .init(who) }
    if let whom = header.onBehalfOf { onBehalfOf = .init(whom) }
    workspace = header.workspace
    chat = header.chat
    parentChat = header.parentChat
    turn = header.turn
    step = header.step
    call = header.call
    cause = header.cause
    policyVersion = header.policyVersion
    mappingVersion = header.mappingVersion
    evidence = header.evidence == .daemon ? .daemon : .plane
    bodyDigest = Data(header.bodyDigest?.bytes ?? [])
  }
}

extension Gatehouse_Ledger_V1_Principal {
  fileprivate init(_ principal: EventPrincipal) {
    self.init()
    id = principal.id
    issuerPin = Data(principal.issuerPin?.bytes ?? [])
    keyPin = Data(principal.keyPin?.bytes ?? [])
  }
}
