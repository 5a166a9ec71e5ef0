/// Counts the links of one workspace; a later link has a greater epoch.
package struct SessionEpoch: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let number: UInt64

  package init(_ number: UInt64) { self.number = number }

  /// An epoch as it stands in metadata: decimal, no sign, no leading zero; nil otherwise.
  package init?(text: some StringProtocol) {
    guard let number = UInt64(text), String(number) == text else { return nil }
    self.number = number
  }

  package var next: SessionEpoch { SessionEpoch(number + 1) }

  package var description: String { String(number) }

  package static func < (one: SessionEpoch, other: SessionEpoch) -> Bool {
    one.number < other.number
  }
}
