/// A text that is never printed: descriptions and reflection show a placeholder.
package struct Secret: Sendable, CustomStringConvertible, CustomReflectable {
  private let value: String

  package init(_ value: String) { self.value = value }

  package var description: String { "[secret]" }
  package var customMirror: Mirror { Mirror(self, children: [:]) }

  /// The text itself, to be handed to the wire and to nothing else.
  var revealed: String { value }

  /// `bytes` with each occurrence of the secret overwritten by asterisks: as long as before, so that
  /// what holds lengths still fits.
  package func masked(in bytes: [UInt8]) -> [UInt8] {
    let secret = Array(value.utf8)
    guard let first = secret.first, bytes.count >= secret.count else { return bytes }
    var masked = bytes
    var start = 0
    while start <= bytes.count - secret.count {
      let end = start + secret.count
      guard bytes[start] == first, bytes[start..<end].elementsEqual(secret) else {
        start += 1
        continue
      }
      for index in start..<end { masked[index] = UInt8(ascii: "*") }
      start = end
    }
    return masked
  }

  /// `text` without the secret in it. A text of the peer's may repeat what we sent.
  func redacted(from text: String) -> String {
    guard !value.isEmpty else { return text }
    return text.split(separator: value, omittingEmptySubsequences: false)
      .joined(separator: "[secret]")
  }
}
