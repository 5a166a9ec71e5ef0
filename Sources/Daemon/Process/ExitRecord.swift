package import Sandbox

/// How a command ended: what its supervisor says, and writes to the call's folder before it does.
package struct ExitRecord: Equatable, Sendable {
  package enum Ending: Equatable, Sendable {
    case ended(ExitStatus)
    case notStarted(SpawnFailure)
    /// Still there when the supervisor gave up killing it.
    case unknown
  }

  /// Why the tree was killed, if it was.
  package enum Cause: UInt8, Sendable {
    case none = 0
    case cancelled = 1
    case timedOut = 2
    /// No daemon came back in time.
    case abandoned = 3
  }

  package var ending: Ending
  package var cause: Cause
  /// Whether all the command started is known to be gone.
  package var treeGone: Bool
  /// From start to end; zero when it never ran.
  package var microseconds: UInt64
  /// What the supervisor could not keep of its outputs when it went without a daemon, bytes: output and
  /// error, or the terminal.
  package var unread: [UInt64]

  /// The file's name in the call's folder.
  static let fileName = "exit"

  package init(
    ending: Ending,
    cause: Cause,
    treeGone: Bool,
    microseconds: UInt64,
    unread: [UInt64] = []
  ) {
    self.unread = unread
    self.ending = ending
    self.cause = cause
    self.treeGone = treeGone
    self.microseconds = microseconds
  }

  /// What a supervisor wrote in a call's folder, or `nil`: it wrote nothing, or the machine
  /// stopped before that reached the disk.
  package init?(in folder: borrowing StateFolder) {
    guard let bytes = try? folder.read(Self.fileName),
      let record = try? ExitRecord(decoding: bytes)
    else { return nil }
    self = record
  }

  /// Of the output at `index`.
  func unread(_ index: Int) -> UInt64 { unread.indices.contains(index) ? unread[index] : 0 }

  var encoded: [UInt8] {
    var writer = ByteWriter()
    switch ending {
    case .ended(.exited(let code)):
      writer.put(1 as UInt8)
      writer.put(code)
    case .ended(.signalled(let signal)):
      writer.put(2 as UInt8)
      writer.put(signal)
    case .notStarted(let failure):
      writer.put(3 as UInt8)
      writer.put(failure.code)
      writer.put(failure.message)
    case .unknown: writer.put(4 as UInt8)
    }
    writer.put(cause.rawValue)
    writer.put(treeGone)
    writer.put(microseconds)
    writer.put(UInt8(unread.count))
    for count in unread { writer.put(count) }
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(ByteReader.Malformed) {
    var reader = ByteReader(bytes)
    switch try reader.get(UInt8.self) {
    case 1: ending = .ended(.exited(try reader.get(Int32.self)))
    case 2: ending = .ended(.signalled(try reader.get(Int32.self)))
    case 3:
      ending = .notStarted(
        SpawnFailure(code: try reader.getString(), message: try reader.getString())
      )
    case 4: ending = .unknown
    default: throw ByteReader.Malformed()
    }
    guard let cause = Cause(rawValue: try reader.get(UInt8.self)) else {
      throw ByteReader.Malformed()
    }
    self.cause = cause
    treeGone = try reader.getBool()
    microseconds = try reader.get(UInt64.self)
    unread = []
    let outputs = try reader.get(UInt8.self)
    for _ in 0..<outputs { unread.append(try reader.get(UInt64.self)) }
    try reader.end()
  }
}
