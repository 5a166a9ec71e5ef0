internal import Host

/// Where checkpoints are kept: a file that only grows, outside the state folder. One note after the
/// other, an empty line between them.
struct CheckpointFile: Sendable {
  /// At one each five seconds, a note of 300 bytes: half a year of work without a pause.
  static let maxBytes = 1 << 30

  let path: String

  func append(_ checkpoint: SignedCheckpoint) throws(HostError) {
    try AppendFile(path).append(Array((checkpoint.note + "\n").utf8))
  }

  struct Content: Sendable {
    var checkpoints: [SignedCheckpoint] = []
    /// The first lines of what is no checkpoint, as a machine that lost power may leave behind.
    var unreadable: [String] = []
  }

  /// Nil where there is no such file.
  func read() throws(HostError) -> Content? {
    guard let bytes = try AppendFile(path).read(maxBytes: Self.maxBytes) else { return nil }
    return Self.parse(String(decoding: bytes, as: UTF8.self))
  }

  /// The last checkpoint that is one; nil where there is none.
  static func parse(_ text: String) -> Content {
    var content = Content()
    var note: [Substring] = []
    func take() {
      defer { note = [] }
      guard !note.isEmpty else { return }
      if let read = SignedCheckpoint(note: note.joined(separator: "\n") + "\n") {
        content.checkpoints.append(read)
      } else {
        content.unreadable.append(String(note[0].prefix(80)))
      }
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let isSignature = line.hasPrefix("\u{2014} ")
      // A note ends with its signatures; what comes behind them is the next one.
      if !isSignature, note.last?.hasPrefix("\u{2014} ") == true { take() }
      if !(note.isEmpty && line.isEmpty) { note.append(line) }
    }
    while note.last?.isEmpty == true { note.removeLast() }
    take()
    return content
  }
}
