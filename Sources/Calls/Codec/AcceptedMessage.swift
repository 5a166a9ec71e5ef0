/// An `InvokeResponse` with an `Accepted`, as any protobuf library would write it.
package enum AcceptedMessage {
  package static func make(callID: String, digest: [UInt8], repeatedKey: Bool) -> [UInt8] {
    let count =
      FieldWriter.size(bytes: callID.utf8.count) + FieldWriter.size(bytes: digest.count)
      + FieldWriter.size(number: repeatedKey ? 1 : 0)
    var writer = FieldWriter(capacity: count + 4)
    writer.begin(4, count: count)
    writer.write(1, callID)
    writer.write(2, digest)
    writer.write(3, repeatedKey ? 1 : 0)
    return writer.message
  }
}
