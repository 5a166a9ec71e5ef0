/// Files that h2load sends.
enum RequestFile {
  static let prefixBytes = 5

  /// One gRPC message: flag, length, bytes (gRPC over HTTP/2, "Length-Prefixed-Message").
  static func holding(_ message: [UInt8]) -> [UInt8] {
    let length = UInt32(message.count)
    return [0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + message
  }
}
