internal import SwiftProtobuf

extension Message {
  /// The message's bytes.
  ///
  /// Fails for no message of ours: proto3 has no required fields, and none holds an `Any`.
  func encoded() throws(ToolArgumentError) -> [UInt8] {
    do {
      return try serializedBytes()
    } catch {
      throw ToolArgumentError("the request could not be encoded: \(error)")
    }
  }
}
