internal import Host

/// The checkpoints of a file, in its order. Where they are is kept, some bytes each; they are read when
/// they are asked for, so that a file of years takes no room.
struct CheckpointList: Sendable {
  struct Entry: Sendable {
    let size: UInt64
    /// Of `origins`.
    fileprivate let origin: Int
    fileprivate let place: Range<Int>
  }

  private(set) var entries: [Entry] = []
  /// The first lines of what is no checkpoint, as a machine that lost power may leave behind.
  private(set) var unreadable: [String] = []
  private var origins: [String] = []
  private let file: SegmentFile?

  /// Of none.
  init() { file = nil }

  /// Goes through a file, so many bytes at a time.
  init(_ file: SegmentFile, piece: Int) throws(HostError) {
    self.file = file
    var scanner = NoteScanner()
    var line: [UInt8] = []
    var (start, offset) = (0, 0)
    while case let bytes = try file.read(piece, at: offset), !bytes.isEmpty {
      var rest = bytes[...]
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        line += rest[..<end].prefix(Self.longestLine - min(line.count, Self.longestLine))
        add(scanner.take(String(decoding: line, as: UTF8.self)[...], at: start..<(offset + end)))
        line.removeAll(keepingCapacity: true)
        start = offset + end + 1
        rest = rest[(end + 1)...]
      }
      line += rest.prefix(Self.longestLine - min(line.count, Self.longestLine))
      offset += bytes.count
    }
    if !line.isEmpty {
      add(scanner.take(String(decoding: line, as: UTF8.self)[...], at: start..<offset))
    }
    add(scanner.finish())
  }

  /// More than any line of a note has.
  private static let longestLine = 64 << 10
  private static let maxUnreadable = 1_000

  private mutating func add(_ note: NoteScanner.Note?) {
    guard let note else { return }
    guard let checkpoint = SignedCheckpoint(note: note.text)?.checkpoint else {
      let first = note.text.prefix { $0 != "\n" }
      if unreadable.count < Self.maxUnreadable { unreadable.append(String(first.prefix(80))) }
      return
    }
    // As a rule there is one.
    let known = origins.lastIndex(of: checkpoint.origin)
    if known == nil { origins.append(checkpoint.origin) }
    entries.append(
      Entry(size: checkpoint.size, origin: known ?? origins.count - 1, place: note.place)
    )
  }

  func origin(_ index: Int) -> String { origins[entries[index].origin] }

  /// Nil when it is not what it was.
  func note(_ index: Int) -> SignedCheckpoint? {
    let entry = entries[index]
    guard let bytes = try? file?.read(entry.place.count, at: entry.place.lowerBound),
      let note = SignedCheckpoint(note: String(decoding: bytes, as: UTF8.self) + "\n"),
      note.checkpoint.size == entry.size
    else { return nil }
    return note
  }

  /// Those at some places, in order.
  func only(_ indices: [Int]) -> CheckpointList {
    var list = self
    list.entries = indices.map { entries[$0] }
    return list
  }
}

/// Finds notes in lines that come one after the other.
struct NoteScanner {
  struct Note {
    let text: String
    /// From its first line to its last, without that one's newline.
    let place: Range<Int>
  }

  private enum Line { case empty, signature, other }

  private var text = ""
  private var place = 0..<0
  private var last = Line.empty
  /// More than any note has.
  private static let maxBytes = 64 << 10

  /// - Returns: the note that ended before this line.
  mutating func take(_ line: Substring, at range: Range<Int>) -> Note? {
    let kind: Line =
      line.isEmpty ? .empty : line.hasPrefix("\u{2014} ") ? .signature : .other
    // A note ends with its signatures; what comes behind them is the next one. Behind two empty lines
    // too: what stands before them was cut off.
    let isNext = last == .signature ? kind != .signature : last == .empty && kind == .empty
    let note = isNext ? finish() : nil
    last = kind
    guard !text.isEmpty || kind != .empty else { return note }
    let start = text.isEmpty ? range.lowerBound : place.lowerBound
    place = start..<max(place.upperBound, range.upperBound)
    if text.utf8.count <= Self.maxBytes { text += line + "\n" }
    return note
  }

  /// - Returns: the last one.
  mutating func finish() -> Note? {
    defer { (text, place) = ("", 0..<0) }
    guard !text.isEmpty else { return nil }
    while text.utf8.dropLast().last == UInt8(ascii: "\n") { text.removeLast() }
    return Note(text: text, place: place)
  }
}
