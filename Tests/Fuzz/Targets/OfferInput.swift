internal import DaemonWire

/// What a daemon decodes it can encode, and decodes the same again.
enum OfferInput {
  /// The first byte says which message the rest is.
  static func run(_ input: [UInt8]) {
    var reader = InputReader(input)
    let kind = reader.byte()
    let bytes = reader.remaining()
    switch kind % 8 {
    case 0: check(ConnectResponse.self, bytes)
    case 1: check(CarryResponse.self, bytes)
    case 2: check(ExecRequest.self, bytes)
    case 3: check(ShellRequest.self, bytes)
    case 4: check(EditRequest.self, bytes)
    case 5: check(SearchRequest.self, bytes)
    case 6: check(WriteRequest.self, bytes)
    default: check(EnrollResponse.self, bytes)
    }
  }

  private static func check<Message: WireMessage>(_ type: Message.Type, _ bytes: [UInt8]) {
    guard let message = try? Message(decoding: bytes) else { return }
    guard let encoded = try? message.encoded(), let again = try? Message(decoding: encoded) else {
      preconditionFailure("\(type) cannot be sent")
    }
    // Unknown values are not kept, so the bytes may differ; what they mean may not.
    require(again == message, "\(type) changes on its way")
  }
}
