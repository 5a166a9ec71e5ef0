internal import Crypto

/// The canonical bytes of a header: what is hashed is what is stored.
///
/// They are a protobuf message, `gatehouse.ledger.v1.Header` of `Proto/`, in its one canonical form:
/// fields in ascending order, each at most once, none at its default, numbers as short as can be.
/// Bytes in another form are no header, so no two byte strings have the same reading.
extension EventHeader {
  private enum Field: UInt8 {
    case schema = 1
    case sequence, time, kind, principal, onBehalfOf, workspace, chat, parentChat, turn, step, call
    case cause, policyVersion, mappingVersion, evidence, bodyDigest
  }

  /// As hashed and stored.
  package var canonicalBytes: [UInt8] { encoded }

  var encoded: [UInt8] { Self.encoded(sequence, time, rest: encodedRest(bodyDigest)) }

  /// A header whose other fields were put together before its number was known.
  static func encoded(_ sequence: UInt64, _ time: Int64, rest: [UInt8]) -> [UInt8] {
    var writer = CanonicalWriter(capacity: rest.count + 24)
    writer.write(Field.schema.rawValue, Self.schema)
    writer.write(Field.sequence.rawValue, sequence)
    writer.write(Field.time.rawValue, UInt64(max(0, time)))
    writer.append(rest)
    return writer.bytes
  }

  /// All fields behind the time.
  func encodedRest(_ bodyDigest: Hash256?) -> [UInt8] {
    var writer = CanonicalWriter(capacity: 384)
    writer.write(Field.kind.rawValue, kind.number)
    principal?.encode(as: Field.principal.rawValue, to: &writer)
    onBehalfOf?.encode(as: Field.onBehalfOf.rawValue, to: &writer)
    writer.write(Field.workspace.rawValue, workspace)
    writer.write(Field.chat.rawValue, chat)
    writer.write(Field.parentChat.rawValue, parentChat)
    writer.write(Field.turn.rawValue, turn)
    writer.write(Field.step.rawValue, step)
    writer.write(Field.call.rawValue, call)
    writer.write(Field.cause.rawValue, cause)
    writer.write(Field.policyVersion.rawValue, policyVersion)
    writer.write(Field.mappingVersion.rawValue, mappingVersion)
    writer.write(Field.evidence.rawValue, evidence.rawValue)
    if let bodyDigest { writer.write(Field.bodyDigest.rawValue, bodyDigest) }
    return writer.bytes
  }

  /// - Throws: when the bytes are not the canonical ones of any header of this schema.
  init(canonical bytes: [UInt8]) throws(CanonicalError) {
    var reader = CanonicalReader(bytes[...])
    guard try reader.number(Field.schema.rawValue) == Self.schema else {
      throw CanonicalError("a header of another schema")
    }
    let sequence = try reader.number(Field.sequence.rawValue)
    let time = try reader.number(Field.time.rawValue)
    self.init(EventKind(number: try reader.number(Field.kind.rawValue)))
    self.sequence = sequence
    guard let time = Int64(exactly: time) else { throw CanonicalError("a time that cannot be") }
    self.time = time
    principal = try EventPrincipal(reader.bytes(Field.principal.rawValue))
    onBehalfOf = try EventPrincipal(reader.bytes(Field.onBehalfOf.rawValue))
    workspace = try reader.text(Field.workspace.rawValue)
    chat = try reader.text(Field.chat.rawValue)
    parentChat = try reader.text(Field.parentChat.rawValue)
    turn = try reader.number(Field.turn.rawValue)
    step = try reader.number(Field.step.rawValue)
    call = try reader.text(Field.call.rawValue)
    cause = try reader.number(Field.cause.rawValue)
    policyVersion = try reader.number(Field.policyVersion.rawValue)
    mappingVersion = try reader.number(Field.mappingVersion.rawValue)
    guard let evidence = Evidence(rawValue: try reader.number(Field.evidence.rawValue)) else {
      throw CanonicalError("an evidence grade that there is none of")
    }
    self.evidence = evidence
    bodyDigest = try Hash256(field: reader.bytes(Field.bodyDigest.rawValue))
    try reader.finish()
  }
}

extension EventPrincipal {
  private enum Field: UInt8 { case id = 1, issuerPin, keyPin }

  fileprivate func encode(as field: UInt8, to writer: inout CanonicalWriter) {
    // A field of its own is its bytes, their number and a tag.
    let name = id.utf8.count
    let idBytes = name == 0 ? 0 : 1 + CanonicalWriter.bytes(of: UInt64(name)) + name
    let pins = (issuerPin == nil ? 0 : 1) + (keyPin == nil ? 0 : 1)
    let count = idBytes + pins * (2 + SHA256.byteCount)
    guard count > 0 else { return }
    writer.begin(field, count: count)
    writer.write(Field.id.rawValue, id)
    if let issuerPin { writer.write(Field.issuerPin.rawValue, issuerPin) }
    if let keyPin { writer.write(Field.keyPin.rawValue, keyPin) }
  }

  fileprivate init?(_ bytes: ArraySlice<UInt8>?) throws(CanonicalError) {
    guard let bytes else { return nil }
    var reader = CanonicalReader(bytes)
    id = try reader.text(Field.id.rawValue)
    issuerPin = try Hash256(field: reader.bytes(Field.issuerPin.rawValue))
    keyPin = try Hash256(field: reader.bytes(Field.keyPin.rawValue))
    try reader.finish()
  }
}

extension Hash256 {
  fileprivate init?(field bytes: ArraySlice<UInt8>?) throws(CanonicalError) {
    guard let bytes else { return nil }
    guard let hash = Hash256(bytes) else { throw CanonicalError("a hash of \(bytes.count) bytes") }
    self = hash
  }
}
