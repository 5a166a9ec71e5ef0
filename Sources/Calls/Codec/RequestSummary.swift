/// What a tool's request asks for, in short: a command's words, its script, or a file's path.
///
/// In each tool's request that is field 1, a text or bytes, once or more often, and written first. So
/// nothing is decoded of a request that may hold a megabyte for a file.
package enum RequestSummary {
  /// Bytes that are shown; behind them stands a mark.
  package static let maxBytes = 200

  /// `tag`: field 1, length-delimited (protobuf's encoding, "Message Structure").
  private static let tag: UInt8 = 0x0a

  package static func make(_ request: [UInt8]) -> String {
    var words: [ArraySlice<UInt8>] = []
    var count = 0
    var reader = FieldReader(next: 0, end: request.count)
    while count <= maxBytes, reader.next < request.count, request[reader.next] == tag {
      reader.next += 1
      guard let range = try? reader.bytes(of: request) else { break }
      let word = request[range]
      words.append(word.count > maxBytes ? cut(word) : word)
      count += word.count + (words.count > 1 ? 1 : 0)
    }
    let text = words.map { shown($0, isAlone: words.count == 1) }.joined(separator: " ")
    guard count > maxBytes else { return text }
    return String(decoding: cut(Array(text.utf8)[...]), as: UTF8.self) + "…"
  }

  /// The first bytes, up to the end of a character.
  private static func cut(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var end = bytes.startIndex + min(bytes.count, maxBytes)
    while end > bytes.startIndex, end < bytes.endIndex, bytes[end] & 0xc0 == 0x80 { end -= 1 }
    return bytes[..<end]
  }

  /// A word among others stands in quotes if it holds blanks, so that it is seen to be one.
  private static func shown(_ word: ArraySlice<UInt8>, isAlone: Bool) -> String {
    let text = String(decoding: word, as: UTF8.self)
    let isPlain = !text.isEmpty && !text.contains(where: \.isWhitespace)
    return isAlone || isPlain ? text : "'\(text)'"
  }
}
