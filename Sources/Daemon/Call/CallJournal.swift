internal import Calls
internal import DaemonWire
internal import EventLoop
internal import Sandbox

/// What is on disk of one call: enough for the next daemon to take it over, or to say how it ended.
///
/// All that changes something is journaled before it starts: commands, and the file tools that write. What
/// only looks is not, for it may be asked again; what is not in a new instance's inventory the plane
/// repeats or calls lost. Nothing is synced: the journal must survive the daemon, and when the machine
/// stops its commands are gone too.
struct CallJournal: Equatable {
  /// Of this and all other files in a call's folder, also the supervisor's. A journal without one began
  /// with the length of its tool's name, 12 or 13.
  static let version: UInt8 = 2

  /// Another program wrote it, which only that program can read.
  struct OtherVersion: Error, Equatable {
    let version: UInt8
  }

  var tool: String
  var digest: [UInt8]
  /// The request's whole length, which the plane need not send again.
  var requestBytes: UInt32
  /// The supervisor's key.
  var key: [UInt8]
  /// Microseconds of `BootClock`: the time of day may be set meanwhile.
  var deadline: Int64
  var isTerminal: Bool
  var dropsOldest: Bool
  var ringBytes: UInt32
  var spillBytes: UInt32 = 0

  /// Files of a call's folder, beside the supervisor's.
  enum File {
    static let call = "call"
    static let positions = "positions"
    /// An `Exit` message that the plane has not acknowledged.
    static let exit = "outcome"
    /// Its `Effects` message, written before.
    static let effects = "effects"

    /// The ring of an output.
    static func output(_ stream: CallStream) -> String { "output-\(stream.rawValue)" }
    /// What a supervisor read of the output at `index` before it went without a daemon.
    static func rest(_ index: Int) -> String { "rest-\(index)" }
  }

  var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.put(Self.version)
    writer.put(tool)
    writer.put(digest)
    writer.put(requestBytes)
    writer.put(key)
    writer.put(deadline)
    writer.put(isTerminal)
    writer.put(dropsOldest)
    writer.put(ringBytes)
    writer.put(spillBytes)
    return writer.bytes
  }

  /// Writes it down in the call's folder, which is made.
  func write(_ id: String, in journal: SharedFolder) throws(SystemError) -> SharedFolder {
    let folder = SharedFolder(try journal.folder.folder(id))
    try folder.folder.write(File.call, encoded)
    return folder
  }

  init(
    tool: String,
    digest: [UInt8],
    requestBytes: UInt32,
    key: [UInt8],
    deadline: Int64,
    isTerminal: Bool,
    dropsOldest: Bool,
    ringBytes: UInt32,
    spillBytes: UInt32 = 0
  ) {
    self.tool = tool
    self.digest = digest
    self.requestBytes = requestBytes
    self.key = key
    self.deadline = deadline
    self.isTerminal = isTerminal
    self.dropsOldest = dropsOldest
    self.ringBytes = ringBytes
    self.spillBytes = spillBytes
  }

  /// Of a tool that is no command.
  init(tool: String, digest: [UInt8], requestBytes: UInt32, deadline: Int64) {
    self.init(
      tool: tool,
      digest: digest,
      requestBytes: requestBytes,
      key: [],
      deadline: deadline,
      isTerminal: false,
      dropsOldest: false,
      ringBytes: 0
    )
  }

  var isCommand: Bool { CommandRequest.tools.contains(tool) }

  /// - Throws: `OtherVersion`, `ByteReader.Malformed`.
  init(decoding bytes: [UInt8]) throws {
    var reader = ByteReader(bytes)
    let version = try reader.get(UInt8.self)
    guard version == Self.version else { throw OtherVersion(version: version) }
    tool = try reader.getString()
    digest = try reader.getBytes()
    requestBytes = try reader.get(UInt32.self)
    key = try reader.getBytes()
    deadline = try reader.get(Int64.self)
    isTerminal = try reader.getBool()
    dropsOldest = try reader.getBool()
    ringBytes = try reader.get(UInt32.self)
    spillBytes = try reader.get(UInt32.self)
    try reader.end()
  }

  /// What an earlier daemon wrote in a call's folder; `nil` when it did not come so far. Empty is what a
  /// machine leaves that stopped.
  ///
  /// - Throws: also when there is something that cannot be read.
  init?(in folder: borrowing StateFolder) throws {
    guard let bytes = try folder.read(File.call), !bytes.isEmpty else { return nil }
    try self.init(decoding: bytes)
  }
}
