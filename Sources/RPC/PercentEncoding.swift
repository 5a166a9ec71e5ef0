/// The encoding of `grpc-message` (gRPC over HTTP/2, "Percent-Encoded").
enum PercentEncoding {
  /// `limit`: the most bytes of the result; what does not fit is left out, whole characters (Unicode scalars).
  static func encode(_ text: String, atMost limit: Int = .max) -> String {
    var output: [UInt8] = []
    for scalar in text.unicodeScalars {
      let before = output.count
      for byte in scalar.utf8 { append(byte, to: &output) }
      guard output.count <= limit else {
        output.removeSubrange(before...)
        break
      }
    }
    return String(decoding: output, as: UTF8.self)
  }

  private static func append(_ byte: UInt8, to output: inout [UInt8]) {
    if (0x20...0x7e).contains(byte), byte != UInt8(ascii: "%") {
      output.append(byte)
    } else {
      output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
  }

  /// Never fails: what is not a valid escape stands for itself.
  static func decode(_ bytes: [UInt8]) -> String {
    var output: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let high = value(bytes[index + 1]), let low = value(bytes[index + 2])
      {
        output.append(high << 4 | low)
        index += 3
      } else {
        output.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: output, as: UTF8.self)
  }

  private static let digits = Array("0123456789ABCDEF".utf8)

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
