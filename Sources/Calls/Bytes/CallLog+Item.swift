extension CallLog.Item {
  package var stream: CallStream {
    switch self {
    case .message(_, let chunk): chunk.stream
    case .gap(let gap): gap.stream
    }
  }

  var offset: UInt64 {
    switch self {
    case .message(_, let chunk): chunk.offset
    case .gap(let gap): gap.offset
    }
  }

  package var end: UInt64 {
    switch self {
    case .message(_, let chunk): chunk.end
    case .gap(let gap): gap.end
    }
  }

  /// Bytes of output it keeps in memory.
  var held: Int {
    switch self {
    case .message(_, let chunk): chunk.data.count
    case .gap: 0
    }
  }

  /// What of it the reader does not have yet.
  func rest(for cursor: inout CallLog.Cursor) -> CallLog.Item? {
    let position = cursor.positions[stream]
    guard position < end else { return nil }
    cursor.positions[stream] = end
    switch self {
    case .gap:
      return .gap(LostBytes(stream: stream, offset: position, count: end - position))
    case .message(let message, let chunk):
      guard position > chunk.offset else { return self }
      let rest = chunk.suffix(of: message, from: position)
      let skipped = Int(position - chunk.offset)
      let start = rest.count - (chunk.data.count - skipped)
      return .message(
        rest,
        Chunk(stream: chunk.stream, offset: position, data: start..<rest.count)
      )
    }
  }
}
