internal import HTTP2

@testable internal import RPC

/// Fields as a peer sends them, and what is made of their values.
enum MetadataInput {
  static func run(_ input: [UInt8]) {
    var fields = IncomingFields()
    fields.wantsEncodings = true
    for line in input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true) {
      let colon = line.dropFirst().firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
      let name = Array(line[..<colon])
      let value = Array(line[colon...].dropFirst().drop { $0 == UInt8(ascii: " ") })
      fields.take(name: name.span, value: value.span)
      check(value)
      if name.suffix(4) == Array("-bin".utf8) {
        checkBinary(String(decoding: name, as: UTF8.self), value)
      }
    }
    if let timeout = fields.timeout { checkTimeout(timeout) }
  }

  private static func check(_ value: [UInt8]) {
    let text = PercentEncoding.decode(value)
    let again = PercentEncoding.decode(Array(PercentEncoding.encode(text).utf8))
    require(again == text, "percent-encoding is not undone")
    checkTimeout(value)
  }

  private static func checkTimeout(_ value: [UInt8]) {
    guard let timeout = Timeout.parse(value) else { return }
    require(timeout >= .zero, "a timeout below zero")
    let again = Timeout.parse(Array(Timeout.format(timeout).utf8))
    require(again.map { $0 >= .zero } ?? false, "a timeout that cannot be sent")
  }

  /// What is taken goes out, and comes in, as it was.
  private static func checkBinary(_ name: String, _ value: [UInt8]) {
    var metadata = Metadata()
    guard metadata.addField(name: name, value: value) else { return }
    for bytes in metadata.all(name) {
      var sent = Metadata()
      sent.add(name, bytes: bytes)
      require(sent.bytes(name) == bytes, "a binary value that changes")
    }
  }
}
