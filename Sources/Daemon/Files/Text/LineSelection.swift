internal import DaemonWire

/// Picks a range of lines out of a file that goes by in blocks, and counts the rest.
struct LineSelection {
  private let lines: LineRange
  private let maxBytes: Int
  /// The number of the line that the next byte belongs to.
  private var line: UInt64 = 1
  /// The next byte is in the middle of a line.
  private var isInLine = false

  private(set) var content: [UInt8] = []
  /// Position of `content` in the file.
  private(set) var offset: UInt64 = 0
  private(set) var totalBytes: UInt64 = 0
  /// The range holds more than `maxBytes`.
  private(set) var isCut = false

  init(_ lines: LineRange, maxBytes: Int) {
    self.lines = lines
    self.maxBytes = maxBytes
  }

  /// A last line without '\n' counts.
  var totalLines: UInt64 { line - 1 + (isInLine ? 1 : 0) }

  mutating func take(_ block: [UInt8]) {
    var rest = block[...]
    while !rest.isEmpty {
      let newline = rest.firstIndex(of: .newline)
      let end = newline.map { $0 + 1 } ?? rest.endIndex
      keep(rest[..<end])
      isInLine = newline == nil
      if !isInLine { line += 1 }
      rest = rest[end...]
    }
  }

  /// After the last block: ends a cut selection after a whole line, if it has one.
  mutating func finish() {
    if content.isEmpty, !isCut { offset = totalBytes }
    if isCut, let newline = content.lastIndex(of: .newline) {
      content.removeSubrange((newline + 1)...)
    }
  }

  private mutating func keep(_ piece: ArraySlice<UInt8>) {
    defer { totalBytes += UInt64(piece.count) }
    guard line >= lines.first, lines.last == 0 || line <= lines.last else { return }
    if content.isEmpty { offset = totalBytes }
    guard !isCut else { return }
    content += piece.prefix(maxBytes - content.count)
    isCut = UInt64(content.count) < totalBytes + UInt64(piece.count) - offset
  }
}

extension UInt8 {
  static let newline = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")
}
