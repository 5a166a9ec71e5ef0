/// A text that is never printed: descriptions and reflection show a placeholder.
package struct Secret: Sendable, CustomStringConvertible, CustomReflectable {
  private let value: String

  package init(_ value: String) { self.value = value }

  package var description: String { "[secret]" }
  package var customMirror: Mirror { Mirror(self, children: [:]) }

  /// The text itself, to be handed to the wire and to nothing else.
  var revealed: String { value }

  /// `text` without the secret in it. A text of the peer's may repeat what we sent.
  func redacted(from text: String) -> String {
    guard !value.isEmpty else { return text }
    return text.split(separator: value, omittingEmptySubsequences: false)
      .joined(separator: "[secret]")
  }
}
