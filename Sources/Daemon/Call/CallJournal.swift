internal import Calls
internal import DaemonWire
internal import Sandbox

/// What is on disk of one command's call: enough for the next daemon to take it over, or to say how
/// it ended.
///
/// Only `process.*` calls are journaled: nothing of the other tools can outlive the daemon, and what
/// is not in a new instance's inventory the plane calls lost. Nothing is synced: the journal must
/// survive the daemon, and when the machine stops its commands are gone too.
struct CallJournal: Equatable {
  var tool: String
  var digest: [UInt8]
  /// The request's whole length, which the plane need not send again.
  var requestBytes: UInt32
  /// The supervisor's key.
  var key: [UInt8]
  /// Microseconds since 1970.
  var deadline: Int64
  var isTerminal: Bool
  var dropsOldest: Bool
  var ringBytes: UInt32

  /// Files of a call's folder, beside the supervisor's.
  enum File {
    static let call = "call"
    static let positions = "positions"
    /// An `Exit` message that the plane has not acknowledged.
    static let exit = "outcome"
    /// Its `Effects` message, written before.
    static let effects = "effects"
  }

  var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.put(tool)
    writer.put(digest)
    writer.put(requestBytes)
    writer.put(key)
    writer.put(deadline)
    writer.put(isTerminal)
    writer.put(dropsOldest)
    writer.put(ringBytes)
    return writer.bytes
  }

  init(
    tool: String,
    digest: [UInt8],
    requestBytes: UInt32,
    key: [UInt8],
    deadline: Int64,
    isTerminal: Bool,
    dropsOldest: Bool,
    ringBytes: UInt32
  ) {
    self.tool = tool
    self.digest = digest
    self.requestBytes = requestBytes
    self.key = key
    self.deadline = deadline
    self.isTerminal = isTerminal
    self.dropsOldest = dropsOldest
    self.ringBytes = ringBytes
  }

  init(decoding bytes: [UInt8]) throws(ByteReader.Malformed) {
    var reader = ByteReader(bytes)
    tool = try reader.getString()
    digest = try reader.getBytes()
    requestBytes = try reader.get(UInt32.self)
    key = try reader.getBytes()
    deadline = try reader.get(Int64.self)
    isTerminal = try reader.getBool()
    dropsOldest = try reader.getBool()
    ringBytes = try reader.get(UInt32.self)
    try reader.end()
  }

  /// What an earlier daemon wrote in a call's folder; `nil` when it did not come so far.
  init?(in folder: borrowing StateFolder) {
    guard let bytes = try? folder.read(File.call), let journal = try? CallJournal(decoding: bytes)
    else { return nil }
    self = journal
  }
}
