/// Counts the links of one workspace; a later link has a greater epoch.
package struct SessionEpoch: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let number: UInt64

  package init(_ number: UInt64) { self.number = number }

  /// An epoch as it stands in metadata: decimal, no sign, no leading zero; nil otherwise.
  package init?(text: [UInt8]) {
    // 20 digits hold any number of 64 bits.
    guard (1...20).contains(text.count), text.count == 1 || text[0] != UInt8(ascii: "0") else {
      return nil
    }
    var number: UInt64 = 0
    for digit in text {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      let (tens, isTooLong) = number.multipliedReportingOverflow(by: 10)
      let (sum, isTooLarge) = tens.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
      guard !isTooLong, !isTooLarge else { return nil }
      number = sum
    }
    self.number = number
  }

  /// Before the first link of a plane's life; each life's epochs lie above those of the ones before.
  ///
  /// - Parameter life: counts the plane's starts.
  package init(life: UInt64) { self.init(life << 32) }

  package var next: SessionEpoch { SessionEpoch(number + 1) }

  package var description: String { String(number) }

  package static func < (one: SessionEpoch, other: SessionEpoch) -> Bool {
    one.number < other.number
  }
}
