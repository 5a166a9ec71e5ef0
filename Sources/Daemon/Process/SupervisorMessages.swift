package import Sandbox

/// The first byte of a plan, and of each message between a daemon and a supervisor. A daemon that was
/// upgraded may meet supervisors that an earlier one started, and one whose program was replaced under it
/// starts supervisors of the new one.
enum SupervisorProtocol {
  /// Before there was one, messages began with a kind from 1 to 6 and plans with 16, a key's length.
  static let version: UInt8 = 0x82

  /// The other side speaks another one.
  struct OtherVersion: Error, Equatable {
    let version: UInt8
  }

  static func check(_ reader: inout ByteReader) throws {
    let found = try reader.get(UInt8.self)
    guard found == version else { throw OtherVersion(version: found) }
  }
}

/// What a daemon tells a supervisor.
package enum SupervisorOrder: Equatable, Sendable {
  /// First on a connection that a new daemon made: the plan's key.
  case adopt(key: [UInt8])
  case signal(Int32)
  case resize(TerminalSize)
  /// No more input will come. The supervisor holds the pipe too, so that it outlives a daemon.
  case closeInput
  /// Kill the tree, for this reason.
  case end(ExitRecord.Cause)
  /// The end is known and all output was read: the supervisor may go.
  case release

  var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.put(SupervisorProtocol.version)
    switch self {
    case .adopt(let key):
      writer.put(1 as UInt8)
      writer.put(key)
    case .signal(let number):
      writer.put(2 as UInt8)
      writer.put(number)
    case .resize(let size):
      writer.put(3 as UInt8)
      writer.put(size.columns)
      writer.put(size.rows)
    case .closeInput: writer.put(4 as UInt8)
    case .end(let cause):
      writer.put(5 as UInt8)
      writer.put(cause.rawValue)
    case .release: writer.put(6 as UInt8)
    }
    return writer.bytes
  }

  /// - Throws: `SupervisorProtocol.OtherVersion`, `ByteReader.Malformed`.
  init(decoding bytes: [UInt8]) throws {
    var reader = ByteReader(bytes)
    try SupervisorProtocol.check(&reader)
    switch try reader.get(UInt8.self) {
    case 1: self = .adopt(key: try reader.getBytes())
    case 2: self = .signal(try reader.get(Int32.self))
    case 3:
      self = .resize(
        TerminalSize(columns: try reader.get(UInt16.self), rows: try reader.get(UInt16.self))
      )
    case 4: self = .closeInput
    case 5:
      guard let cause = ExitRecord.Cause(rawValue: try reader.get(UInt8.self)) else {
        throw ByteReader.Malformed()
      }
      self = .end(cause)
    case 6: self = .release
    default: throw ByteReader.Malformed()
    }
    try reader.end()
  }
}

/// What a supervisor tells its daemon, and each new one again.
enum SupervisorReport: Equatable, Sendable {
  /// The command runs. With it come the ends of its pipes, in this order: input if open, then
  /// output and error, or the terminal and both ends of what its output goes through.
  case started(process: Int32, hasInput: Bool, isTerminal: Bool)
  /// The command ended, and all it started.
  case ended(ExitRecord)
  /// It understands nothing of what it was told. The rest of the message means nothing: whose version this
  /// is not reads no further.
  case otherVersion

  var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.put(SupervisorProtocol.version)
    switch self {
    case .started(let process, let hasInput, let isTerminal):
      writer.put(1 as UInt8)
      writer.put(process)
      writer.put(hasInput)
      writer.put(isTerminal)
    case .ended(let record):
      writer.put(2 as UInt8)
      writer.put(record.encoded)
    case .otherVersion: writer.put(3 as UInt8)
    }
    return writer.bytes
  }

  /// - Throws: `SupervisorProtocol.OtherVersion`, `ByteReader.Malformed`.
  init(decoding bytes: [UInt8]) throws {
    var reader = ByteReader(bytes)
    try SupervisorProtocol.check(&reader)
    switch try reader.get(UInt8.self) {
    case 1:
      self = .started(
        process: try reader.get(Int32.self),
        hasInput: try reader.getBool(),
        isTerminal: try reader.getBool()
      )
    case 2: self = .ended(try ExitRecord(decoding: reader.getBytes()))
    case 3: self = .otherVersion
    default: throw ByteReader.Malformed()
    }
    try reader.end()
  }
}
