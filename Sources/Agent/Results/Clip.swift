/// Cuts a long result to its head and tail, and says how to read the rest.
enum Clip {
  /// The most of a result that a model is shown at once.
  static let maxBytes = 32 * 1024

  /// The result of the call with the short name `call`, as `output.read` knows it.
  static func text(_ output: KeptOutput, call: String) -> String {
    guard output.total > maxBytes else {
      return plain(output.bytes(at: 0, count: output.total).bytes)
    }
    let head = wholeCharacters(output.bytes(at: 0, count: maxBytes / 2).bytes)
    let tailStart = output.total - maxBytes / 2
    let tail = output.bytes(at: tailStart, count: maxBytes / 2).bytes.drop { $0 & 0xC0 == 0x80 }
    let cut = output.total - head.count - tail.count
    let notice =
      "[\(cut) of \(output.total) bytes are left out here; read them with output.read "
      + "{\"call\":\"\(call)\",\"offset\":\(head.count)}]"
    return plain(head) + "\n\n" + notice + "\n\n" + plain(tail)
  }

  /// What `output.read` answers.
  static func range(_ range: OutputRange, of output: KeptOutput) -> String {
    let wanted = range.offset < 0 ? max(0, output.total + range.offset) : range.offset
    let found = output.bytes(at: wanted, count: range.maxBytes)
    let end = found.offset + found.bytes.count
    guard !found.bytes.isEmpty else {
      return "[\(range.call) has \(output.total) bytes; there is nothing at \(wanted)]"
    }
    let lost =
      found.offset > wanted ? "bytes \(wanted) to \(found.offset) were not kept; " : ""
    let rest = end < output.total ? "; go on at offset \(end)" : "; that is the end"
    return "[\(lost)bytes \(found.offset) to \(end) of \(output.total)\(rest)]\n"
      + plain(found.bytes)
  }

  /// Text without what a model or a terminal could trip over: a NUL is shown, bad UTF-8 replaced.
  private static func plain(_ bytes: some Collection<UInt8>) -> String {
    let text = String(decoding: bytes, as: UTF8.self)
    return text.utf8.contains(0)
      ? text.split(separator: "\0", omittingEmptySubsequences: false).joined(separator: "\\0")
      : text
  }

  /// Without a character that is cut at the end.
  private static func wholeCharacters(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    // A character has at most four bytes: look back for the one that leads the last.
    for back in 1...min(4, max(1, bytes.count)) where back <= bytes.count {
      let byte = bytes[bytes.count - back]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
      return length > back ? bytes.dropLast(back) : bytes[...]
    }
    return bytes[...]
  }
}
