/// A `ConnectResponse` with an `Offer`, as any protobuf library would write it.
package enum OfferMessage {
  /// `deadline` is in milliseconds from receipt, at least 1; `request` is nil when it follows on the
  /// call's own stream.
  package static func make(
    callID: String,
    ticket: [UInt8],
    digest: [UInt8],
    deadline: UInt64,
    tool: String,
    request: [UInt8]?,
    requestBytes: Int
  ) -> [UInt8] {
    let request = request ?? []
    let count =
      FieldWriter.size(bytes: callID.utf8.count) + FieldWriter.size(bytes: ticket.count)
      + FieldWriter.size(bytes: digest.count) + FieldWriter.size(number: deadline)
      + FieldWriter.size(bytes: tool.utf8.count) + FieldWriter.size(bytes: request.count)
      + FieldWriter.size(number: UInt64(requestBytes))
    var writer = FieldWriter(capacity: count + 8)
    writer.begin(2, count: count)
    writer.write(1, callID)
    writer.write(2, ticket)
    writer.write(3, digest)
    writer.write(4, deadline)
    writer.write(5, tool)
    writer.write(6, request)
    writer.write(7, UInt64(requestBytes))
    return writer.message
  }
}
