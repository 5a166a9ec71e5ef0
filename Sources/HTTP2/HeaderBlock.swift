/// Header fields to send, as nghttp2 takes them: one buffer and the lengths in it.
package struct HeaderBlock: Sendable {
  var bytes: [UInt8] = []
  var lengths: [(name: Int32, value: Int32)] = []

  package init() {}

  /// Appends a field. `name` is in lower case (RFC 9113 §8.2.1).
  package mutating func append(_ name: String, _ value: String) {
    let start = bytes.count
    bytes.append(contentsOf: name.utf8)
    let middle = bytes.count
    bytes.append(contentsOf: value.utf8)
    lengths.append((Int32(middle - start), Int32(bytes.count - middle)))
  }

  package mutating func append(_ name: [UInt8], _ value: [UInt8]) {
    bytes.append(contentsOf: name)
    bytes.append(contentsOf: value)
    lengths.append((Int32(name.count), Int32(value.count)))
  }
}
