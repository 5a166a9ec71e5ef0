/// One event of a stream.
package struct ServerSentEvent: Sendable, Equatable {
  /// `message` unless the stream says otherwise.
  package var name: String
  /// Its `data` lines, joined by line feeds.
  package var data: String
}

/// Reads a `text/event-stream` (HTML Living Standard §9.2.6): bytes in, events out.
///
/// Lines end with LF, CR or CR LF; a byte order mark, comments, `id`, `retry` and unknown fields
/// are passed over.
package struct ServerSentEvents: Sendable {
  /// The longest line, and the most data of one event.
  private let maxBytes: Int
  private var line: [UInt8] = []
  private var name = ""
  private var data: [UInt8]?
  private var skipsLineFeed = false
  private var isFirstLine = true

  package init(maxBytes: Int = 1024 * 1024) { self.maxBytes = maxBytes }

  /// Whether the stream could end here without cutting an event.
  package var isBetweenEvents: Bool { line.isEmpty && data == nil && name.isEmpty }

  /// - Returns: the events that `bytes` completed, in order.
  /// - Throws: when a line or an event is above the bound. Nothing can be read after that.
  package mutating func receive(_ bytes: [UInt8]) throws(TooLong) -> [ServerSentEvent] {
    var events: [ServerSentEvent] = []
    for byte in bytes {
      if let event = try receive(byte) { events.append(event) }
    }
    return events
  }

  /// An event or line is above its bound of bytes.
  package struct TooLong: Error, Equatable {
    package let maxBytes: Int
  }

  private mutating func receive(_ byte: UInt8) throws(TooLong) -> ServerSentEvent? {
    let endsCarriageReturn = skipsLineFeed && byte == UInt8(ascii: "\n")
    skipsLineFeed = byte == UInt8(ascii: "\r")
    if endsCarriageReturn { return nil }
    if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { return try endLine() }
    guard line.count < maxBytes else { throw TooLong(maxBytes: maxBytes) }
    line.append(byte)
    return nil
  }

  private mutating func endLine() throws(TooLong) -> ServerSentEvent? {
    if isFirstLine && line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
    isFirstLine = false
    defer { line.removeAll(keepingCapacity: true) }
    guard !line.isEmpty else { return dispatch() }
    try readField()
    return nil
  }

  private mutating func readField() throws(TooLong) {
    let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
    var value = line[min(colon + 1, line.endIndex)...]
    if value.first == UInt8(ascii: " ") { value.removeFirst() }
    switch String(decoding: line[..<colon], as: UTF8.self) {
    case "event": name = String(decoding: value, as: UTF8.self)
    case "data":
      guard (data?.count ?? 0) + value.count < maxBytes else { throw TooLong(maxBytes: maxBytes) }
      // In place: an event of a million short lines must not cost their square.
      if data == nil { data = Array(value) } else { data?.append(contentsOf: [0x0A] + value) }
    default: break
    }
  }

  private mutating func dispatch() -> ServerSentEvent? {
    defer {
      name = ""
      data = nil
    }
    guard let data else { return nil }
    return ServerSentEvent(
      name: name.isEmpty ? "message" : name,
      data: String(decoding: data, as: UTF8.self)
    )
  }
}
