internal import Crypto
internal import HTTP2

/// Key-value pairs beside a call's messages (gRPC over HTTP/2, "Custom-Metadata").
///
/// Keys are in lower case, `[0-9a-z_.-]+`. The value of a key that ends in `-bin` is any bytes and
/// travels as base64; other values are printable ASCII. A key may occur several times.
package struct Metadata: Sendable, Equatable, ExpressibleByDictionaryLiteral {
  private var entries: [Entry] = []

  private struct Entry: Equatable {
    let key: String
    let value: [UInt8]
  }

  package init() {}

  package init(dictionaryLiteral elements: (String, String)...) {
    for (key, value) in elements { add(key, value) }
  }

  package var isEmpty: Bool { entries.isEmpty }

  package mutating func add(_ key: String, _ value: String) {
    entries.append(Entry(key: key, value: Array(value.utf8)))
  }

  /// Adds bytes; `key` ends in `-bin`.
  package mutating func add(_ key: String, bytes: [UInt8]) {
    precondition(key.hasSuffix("-bin"), "the key of binary metadata ends in -bin")
    entries.append(Entry(key: key, value: bytes))
  }

  /// The first value of `key`, as text.
  package subscript(key: String) -> String? {
    bytes(key).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The first value of `key`.
  package func bytes(_ key: String) -> [UInt8]? {
    entries.first { $0.key == key }?.value
  }

  /// All values of `key`, in the order they came.
  package func all(_ key: String) -> [[UInt8]] { entries.filter { $0.key == key }.map(\.value) }

  /// Takes a field as it came over the wire; drops a reserved name, save for gRPC's own that are
  /// for applications.
  ///
  /// - Returns: false when the name ends in `-bin` and the value is no base64.
  mutating func addField(name: String, value: [UInt8]) -> Bool {
    guard !name.hasPrefix(":"), !name.hasPrefix("grpc-") || Self.isForApplications(name) else {
      return true
    }
    guard name.hasSuffix("-bin") else {
      entries.append(Entry(key: name, value: value))
      return true
    }
    guard value.contains(UInt8(ascii: ",")) else { return addBase64(value, name) }
    // Several values may come joined by commas, with a space after each (RFC 9110 §5.3).
    for part in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      guard addBase64(Array(part.drop { $0 == UInt8(ascii: " ") }), name) else { return false }
    }
    return true
  }

  /// What goes between applications under gRPC's prefix: rich error details and tracing.
  private static func isForApplications(_ name: String) -> Bool {
    ["grpc-status-details-bin", "grpc-trace-bin", "grpc-tags-bin"].contains(name)
  }

  private mutating func addBase64(_ text: [UInt8], _ name: String) -> Bool {
    guard let bytes = Base64.decode(text) else { return false }
    entries.append(Entry(key: name, value: bytes))
    return true
  }

  func append(to block: inout HeaderBlock) {
    for entry in entries {
      if entry.key.hasSuffix("-bin") {
        block.append(entry.key, Base64.encode(entry.value, padded: false))
      } else {
        block.append(Array(entry.key.utf8), entry.value)
      }
    }
  }
}
