internal import Calls
internal import FoundationEssentials
internal import RPC
internal import SwiftProtobuf
internal import Wire

extension Gatehouse_Tools_V1_Effects {
  /// The most files, reasons and bytes that effects.proto allows.
  private static let maxFiles = 1_000
  private static let maxReasons = 16
  private static let maxReasonBytes = 1_024
  private static let maxTextBytes = 64 * 1_024
  private static let maxBytes = 800 * 1_024

  /// Without what this generation does not know; else as the daemon sent it.
  ///
  /// - Throws: `INVALID_ARGUMENT` with what is wrong: it goes into the record, and paths into an index.
  func checked(ofBytes count: Int) throws(RPCStatus) -> Self {
    guard count <= Self.maxBytes else { throw Self.refusal("more than 800 KiB") }
    guard files.count <= Self.maxFiles, incomplete.count <= Self.maxReasons else {
      throw Self.refusal("more than \(Self.maxFiles) files or \(Self.maxReasons) reasons")
    }
    guard incomplete.allSatisfy({ $0.utf8.count <= Self.maxReasonBytes }) else {
      throw Self.refusal("a reason of more than \(Self.maxReasonBytes) bytes")
    }
    var previous: Data?
    var result = self
    result.unknownFields = UnknownStorage()
    for (index, file) in files.enumerated() {
      guard !file.path.isEmpty, !file.path.contains(0), file.path.first != UInt8(ascii: "/") else {
        throw Self.refusal("a path that is none from the root")
      }
      if let previous, !previous.lexicographicallyPrecedes(file.path) {
        throw Self.refusal("paths that are not in order, or come twice")
      }
      previous = file.path
      try Self.check(file)
      result.files[index].unknownFields = UnknownStorage()
    }
    return result
  }

  private static func check(_ file: Gatehouse_Tools_V1_FileEffect) throws(RPCStatus) {
    guard file.hasBefore || file.hasAfter else {
      throw refusal("a file that was not there and is not")
    }
    guard file.diff.utf8.count <= maxTextBytes else { throw refusal("a diff above 64 KiB") }
    for state in [file.before, file.after] {
      guard state.sha256.isEmpty || state.sha256.count == 32 else {
        throw refusal("a digest that has not 32 bytes")
      }
      guard state.text.count <= maxTextBytes, state.kept == .kept || state.text.isEmpty else {
        throw refusal("a text above 64 KiB, or one that is not kept")
      }
    }
  }

  private static func refusal(_ reason: String) -> RPCStatus {
    RPCStatus(.invalidArgument, "the effects were refused: \(reason)")
  }
}
