internal import Host

/// Where checkpoints are kept: a file that only grows, outside the state folder. One note after the
/// other, an empty line between them.
struct CheckpointFile: Sendable {
  let path: String
  /// What is read of it. At one each five seconds, a note of 300 bytes: half a year of work without a
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

  /// Nil where there is no such file. `piece`: what is read of it at once, in bytes.
  func list(piece: Int = 1 << 20) throws(HostError) -> CheckpointList? {
    let count = try AppendFile(path).byteCount()
    guard count <= maxBytes else {
      throw HostError(
        "\(path) has \(count) bytes, and \(maxBytes) are read at most; \(Self.remedy)"
      )
    }
    guard let file = try AppendFile(path).open() else { return nil }
    return try CheckpointList(file, piece: piece)
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

  /// The checkpoints in a text.
  static func parse(_ text: String) -> [SignedCheckpoint] {
    var scanner = NoteScanner()
    var notes: [NoteScanner.Note] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if let note = scanner.take(line, at: 0..<0) { notes.append(note) }
    }
    if let note = scanner.finish() { notes.append(note) }
    return notes.compactMap { SignedCheckpoint(note: $0.text) }
  }
}
