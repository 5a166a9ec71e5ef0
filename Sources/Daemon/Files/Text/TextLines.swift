/// Bytes as lines. A line ends after '\n'; the last may have none.
struct TextLines {
  let bytes: [UInt8]
  /// The lines with their ends, in order.
  let ranges: [Range<Int>]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var ranges: [Range<Int>] = []
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: .newline).map { $0 + 1 } ?? bytes.count
      ranges.append(start..<end)
      start = end
    }
    self.ranges = ranges
  }

  var count: Int { ranges.count }

  /// A line with its end; `index` counts from 0.
  subscript(index: Int) -> ArraySlice<UInt8> { bytes[ranges[index]] }

  /// Where a line is without its end: '\n', and '\r' before it.
  func body(_ index: Int) -> Range<Int> {
    var range = ranges[index]
    for end in [UInt8.newline, .carriageReturn] where bytes[range].last == end {
      range = range.lowerBound..<(range.upperBound - 1)
    }
    return range
  }

  /// The number, from 1, of the line that has the byte at `position`.
  func number(at position: Int) -> Int {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound <= position { low = middle + 1 } else { high = middle }
    }
    return low + 1
  }
}
