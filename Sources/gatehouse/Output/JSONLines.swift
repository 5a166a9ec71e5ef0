internal import SwiftProtobuf

extension DataOutput {
  /// A message in protobuf's canonical JSON, as one line.
  static func json(_ message: some Message) throws {
    var options = JSONEncodingOptions()
    options.alwaysPrintEnumsAsInts = false
    options.preserveProtoFieldNames = true
    try line(message.jsonString(options: options))
  }
}
