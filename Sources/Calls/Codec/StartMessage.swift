/// An `InvokeRequest` with an `InvokeStart`, read in one walk.
package struct StartMessage: Sendable, Equatable {
  package private(set) var workspace = ""
  package private(set) var tool = ""
  package private(set) var request: [UInt8] = []
  /// Milliseconds; 0 for the default.
  package private(set) var timeout: UInt64 = 0
  package private(set) var idempotencyKey = ""
  package private(set) var log: UInt64 = 0
  package private(set) var detaches = false
  package private(set) var acknowledges = false
  package private(set) var resumes = false
  /// Milliseconds; 0 for the default.
  package private(set) var grace: UInt64 = 0

  package init(
    workspace: String,
    tool: String,
    request: [UInt8],
    timeout: UInt64,
    idempotencyKey: String,
    log: UInt64,
    detaches: Bool,
    acknowledges: Bool,
    resumes: Bool,
    grace: UInt64
  ) {
    self.workspace = workspace
    self.tool = tool
    self.request = request
    self.timeout = timeout
    self.idempotencyKey = idempotencyKey
    self.log = log
    self.detaches = detaches
    self.acknowledges = acknowledges
    self.resumes = resumes
    self.grace = grace
  }

  /// Nil for any other message, and for a start that is not written in the plain way (a field
  /// twice, or unknown, or a number longer than it need be): that one is for a protobuf library.
  package init?(_ message: [UInt8]) {
    var reader = FieldReader(next: 0, end: message.count)
    do {
      guard try reader.byte(of: message) == 0x12,
        try reader.length(of: message) == message.count - reader.next
      else { return nil }
      var latest: UInt8 = 0
      while reader.next < reader.end {
        let tag = try reader.byte(of: message)
        // Libraries write fields in the order of their numbers, so none can come twice.
        guard tag > latest else { return nil }
        latest = tag
        guard try take(tag, &reader, message) else { return nil }
      }
    } catch {
      return nil
    }
  }

  private mutating func take(
    _ tag: UInt8,
    _ reader: inout FieldReader,
    _ message: [UInt8]
  ) throws(ChunkError) -> Bool {
    switch tag {
    case 0x0a: return Self.set(&workspace, to: message[try reader.bytes(of: message)])
    case 0x12: return Self.set(&tool, to: message[try reader.bytes(of: message)])
    case 0x1a: request = Array(message[try reader.bytes(of: message)])
    case 0x20: timeout = try reader.varint(of: message)
    case 0x2a: return Self.set(&idempotencyKey, to: message[try reader.bytes(of: message)])
    case 0x30: log = try reader.varint(of: message)
    case 0x38: detaches = try reader.varint(of: message) != 0
    case 0x40: acknowledges = try reader.varint(of: message) != 0
    case 0x50: resumes = try reader.varint(of: message) != 0
    case 0x58: grace = try reader.varint(of: message)
    default: return false
    }
    return true
  }

  /// False when it is not UTF-8.
  private static func set(_ text: inout String, to bytes: ArraySlice<UInt8>) -> Bool {
    guard let value = String(validating: bytes, as: UTF8.self) else { return false }
    text = value
    return true
  }
}
