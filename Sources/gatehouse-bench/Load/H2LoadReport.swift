/// What h2load says at its end.
struct H2LoadReport: Equatable, Sendable {
  /// From the first connection to the last answer.
  let requestsPerSecond: Double
  let succeeded: Int
  let failed: Int
  /// Of response bodies, gRPC's prefixes included.
  let dataBytes: Int

  /// Reads h2load's output; `nil` when it is not a whole report.
  init?(_ text: String) {
    var lines: [Substring: Substring] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      if line.hasPrefix("finished in ") { lines["finished"] = line.dropFirst(12) }
      guard let colon = line.firstIndex(of: ":") else { continue }
      lines[line[..<colon]] = line[line.index(after: colon)...]
    }
    guard
      let rate = lines["finished"]?.split(separator: " ").dropFirst().first.flatMap({ Double($0) }),
      let requests = lines["requests"], let traffic = lines["traffic"],
      let succeeded = Self.count("succeeded", in: requests),
      let failed = Self.count("failed", in: requests),
      let dataBytes = Self.bytes("data", in: traffic)
    else { return nil }
    requestsPerSecond = rate
    self.succeeded = succeeded
    self.failed = failed
    self.dataBytes = dataBytes
  }

  /// `12` in ` 20 total, 12 failed, …`.
  private static func count(_ word: String, in line: Substring) -> Int? {
    for part in line.split(separator: ",") {
      let words = part.split(separator: " ")
      if words.count == 2, words[1] == word { return Int(words[0]) }
    }
    return nil
  }

  /// `21000` in ` 1.20MB (1258291) total, …, 20.51KB (21000) data`.
  private static func bytes(_ word: String, in line: Substring) -> Int? {
    for part in line.split(separator: ",") where part.hasSuffix(" \(word)") {
      guard let open = part.firstIndex(of: "("), let close = part.firstIndex(of: ")") else {
        continue
      }
      return Int(part[part.index(after: open)..<close])
    }
    return nil
  }
}
