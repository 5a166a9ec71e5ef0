internal import Host

/// Where checkpoints are kept: a file that only grows, outside the state folder. One note after the
/// other, an empty line between them.
struct CheckpointFile: Sendable {
  let path: String
  /// What is read at once. At one each five seconds, a note of 300 bytes: half a year of work without a
  /// pause.
  var maxBytes = 1 << 30

  /// - Returns: how long the file is, once three quarters of what is read at once are full; else nil.
  @discardableResult
  func append(_ checkpoint: SignedCheckpoint) throws(HostError) -> Int? {
    let file = AppendFile(path)
    // What a machine that lost power has cut off must not take this one with it.
    let end = String(decoding: try file.readEnd(maxBytes: 4_096) ?? [], as: UTF8.self)
    let isWhole = end.isEmpty || (end.hasSuffix("\n\n") && Self.endsWithSignature(end))
    try file.append(Array(((isWhole ? "" : Self.cut) + checkpoint.note + "\n").utf8))
    let bytes = try file.byteCount()
    return bytes > maxBytes / 4 * 3 ? bytes : nil
  }

  struct Content: Sendable {
    var checkpoints: [SignedCheckpoint] = []
    /// The first lines of what is no checkpoint, as a machine that lost power may leave behind.
    var unreadable: [String] = []
  }

  /// Nil where there is no such file.
  func read() throws(HostError) -> Content? {
    let file = AppendFile(path)
    let count = try file.byteCount()
    guard count <= maxBytes else {
      throw HostError(
        "\(path) has \(count) bytes, and \(maxBytes) are read at most; \(Self.remedy)"
      )
    }
    guard let bytes = try file.read(maxBytes: maxBytes) else { return nil }
    return Self.parse(String(decoding: bytes, as: UTF8.self))
  }

  /// What to do with one that has become too long.
  static let remedy =
    "while the plane is stopped, move the file to an archive: the plane begins another, each of whose "
    + "checkpoints vouches for all events before it as well"

  private static func endsWithSignature(_ text: String) -> Bool {
    text.split(separator: "\n").last?.hasPrefix("\u{2014} ") ?? false
  }

  /// What stands before it was cut off: in a note there are no two empty lines.
  private static let cut = "\n\n\n"

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
      if line.isEmpty, note.last?.isEmpty == true {
        note.removeLast()
        take()
      }
      if !(note.isEmpty && line.isEmpty) { note.append(line) }
    }
    while note.last?.isEmpty == true { note.removeLast() }
    take()
    return content
  }
}
