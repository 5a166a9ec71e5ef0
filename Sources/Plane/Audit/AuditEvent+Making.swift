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
