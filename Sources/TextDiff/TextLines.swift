/// Bytes as lines. A line ends after '\n'; the last may have none.
package struct TextLines {
  package let bytes: [UInt8]
  /// The lines with their ends, in order.
  package let ranges: [Range<Int>]

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
    ranges = Self.ranges(of: bytes, atMost: .max).ranges
  }

  /// - Returns: `nil` when there are more than `maxLines`: their places alone would cost sixteen
  ///   bytes each.
  package init?(_ bytes: [UInt8], maxLines: Int) {
    let (ranges, isAll) = Self.ranges(of: bytes, atMost: maxLines)
    guard isAll else { return nil }
    self.bytes = bytes
    self.ranges = ranges
  }

  private static func ranges(
    of bytes: [UInt8],
    atMost maxLines: Int
  ) -> (ranges: [Range<Int>], isAll: Bool) {
    var ranges: [Range<Int>] = []
    var start = 0
    while start < bytes.count {
      guard ranges.count < maxLines else { return (ranges, false) }
      let end = bytes[start...].firstIndex(of: .newline).map { $0 + 1 } ?? bytes.count
      ranges.append(start..<end)
      start = end
    }
    return (ranges, true)
  }

  package var count: Int { ranges.count }

  /// A line with its end; `index` counts from 0.
  package subscript(index: Int) -> ArraySlice<UInt8> { bytes[ranges[index]] }

  /// Where a line is without its end: '\n', and '\r' before it.
  package func body(_ index: Int) -> Range<Int> {
    var range = ranges[index]
    for end in [UInt8.newline, .carriageReturn] where bytes[range].last == end {
      range = range.lowerBound..<(range.upperBound - 1)
    }
    return range
  }
}

extension UInt8 {
  static let newline = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")
}
