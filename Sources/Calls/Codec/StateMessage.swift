/// An `InvokeResponse`, and with the same field number a `FollowResponse`, with a `StateChange`, as
/// any protobuf library would write it.
package enum StateMessage {
  /// `state` is one of `gatehouse.tools.v1.CallState`.
  package static func make(state: UInt64, detail: String) -> [UInt8] {
    let count = FieldWriter.size(number: state) + FieldWriter.size(bytes: detail.utf8.count)
    var writer = FieldWriter(capacity: count + 4)
    writer.begin(5, count: count)
    writer.write(1, state)
    writer.write(2, detail)
    return writer.message
  }
}
