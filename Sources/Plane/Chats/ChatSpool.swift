internal import FoundationEssentials
internal import Host
internal import Logging
internal import SwiftProtobuf
internal import Wire

/// What followers of a chat were told, on disk: so that who comes back after a restart of the plane is
/// told the rest, under the same numbers.
///
/// It is no record: the ledger is, and a chat whose spool was lost is whole there. One JSON line says
/// whose it is; then comes each event, as its length in 4 bytes, little-endian, and a
/// `FollowChatResponse`. What a killed process left half written is cut off by the next.
final class ChatSpool: Sendable {
  static let folder = "chats"
  private static let maxHeader = 64 << 10
  private static let maxFile = 256 << 20

  struct Header: Codable, Equatable {
    var version = 1
    let chat: String
    let owner: WorkspaceRecord.Owner
    let workspace: String
    let model: String
    /// The first 200 bytes of the first message.
    let prompt: String
    /// Microseconds since 1970.
    let created: Int64

    init(
      chat: String,
      owner: WorkspaceRecord.Owner,
      workspace: String,
      model: String,
      prompt: String,
      created: Int64
    ) {
      self.chat = chat
      self.owner = owner
      self.workspace = workspace
      self.model = model
      self.prompt = String(decoding: prompt.utf8.prefix(200), as: UTF8.self)
      self.created = created
    }
  }

  private let file: GrowingFile

  private init(_ file: GrowingFile) { self.file = file }

  private static func name(_ chat: String) -> String { "\(folder)/\(chat)" }

  /// Begins one, and returns when it is on disk.
  static func begin(_ header: Header, in state: StateFolder) throws -> ChatSpool {
    try state.makeFolder(folder)
    let spool = ChatSpool(try GrowingFile(state.path(of: name(header.chat)), length: 0))
    try spool.file.append(Array(JSONEncoder().encode(header)) + [UInt8(ascii: "\n")])
    try spool.file.sync()
    return spool
  }

  /// One that was found.
  struct Found {
    let header: Header
    let events: [Gatehouse_Plane_V1_FollowChatResponse]
    let length: Int

    /// Goes on behind what is whole.
    func open(in state: StateFolder) throws(HostError) -> ChatSpool {
      ChatSpool(try GrowingFile(state.path(of: name(header.chat)), length: length))
    }
  }

  /// The chats that there are, oldest first: ids sort by time.
  static func chats(in state: StateFolder) throws(HostError) -> [String] {
    try state.names(in: folder)
  }

  /// - Throws: when it cannot be read, or its first line is none.
  static func read(_ chat: String, in state: StateFolder) throws -> Found? {
    guard let bytes = try state.read(name(chat), maxBytes: maxFile),
      let line = bytes.prefix(maxHeader).firstIndex(of: UInt8(ascii: "\n"))
    else { return nil }
    let header = try JSONDecoder().decode(Header.self, from: Data(bytes[..<line]))
    guard header.version == 1, header.chat == chat else { return nil }
    var events: [Gatehouse_Plane_V1_FollowChatResponse] = []
    var length = line + 1
    while let event = event(at: length, of: bytes, UInt64(events.count + 1)) {
      events.append(event.event)
      length = event.end
    }
    return Found(header: header, events: events, length: length)
  }

  static func remove(_ chat: String, in state: StateFolder) {
    // One that stays is found at the next start, and forgotten again.
    try? state.remove(name(chat))
  }

  /// Removes the spool of a chat that was erased, overwritten before that; none is fine.
  static func erase(_ chat: String, in state: StateFolder) throws(HostError) {
    let path = state.path(of: name(chat))
    guard state.exists(name(chat)) else { return }
    do throws(HostError) {
      let length = try AppendFile(path).byteCount()
      let file = try SegmentFile(path, bytes: length)
      let zeros = [UInt8](repeating: 0, count: min(length, 1 << 20))
      for offset in stride(from: 0, to: length, by: 1 << 20) {
        try file.write(Array(zeros.prefix(length - offset)), at: offset)
      }
      try file.sync()
    } catch {
      // As far as it may be: where nothing can be written, it can be removed.
      Plane.log.warning("chat_not_overwritten", metadata: ["chat": "\(chat)", "error": "\(error)"])
    }
    try state.remove(name(chat))
  }

  private static func event(
    at start: Int,
    of bytes: [UInt8],
    _ sequence: UInt64
  ) -> (event: Gatehouse_Plane_V1_FollowChatResponse, end: Int)? {
    guard bytes.count - start >= 4 else { return nil }
    let count = bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
    let end = start + 4 + count
    guard end <= bytes.count,
      let event = try? Gatehouse_Plane_V1_FollowChatResponse(
        serializedBytes: Array(bytes[(start + 4)..<end])
      ), event.sequence == sequence, event.toolOutput.offset <= UInt64(Int64.max) - UInt64(count)
    else { return nil }
    return (event, end)
  }

  func append(_ event: Gatehouse_Plane_V1_FollowChatResponse) throws {
    let message: [UInt8] = try event.serializedBytes()
    let length = UInt32(message.count)
    try file.append((0..<4).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + message)
  }

  func close() { file.close() }
}
