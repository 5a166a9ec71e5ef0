/// What a peer's frames cost beyond the calls they carry, counted as they come.
///
/// Walks frame headers (RFC 9113 §4.1) before nghttp2 sees them, since that passes over many frames
/// in silence, and which of the others it bounds depends on its version.
struct FrameMeter {
  /// Counted since `take`.
  private var usage = PeerUsage()
  private var skip: Int
  private var position = 0  // in a frame's header
  private var length = 0
  private var type: UInt8 = 0
  private var flags: UInt8 = 0
  /// Payload bytes of the header block that is under way; nil outside of one.
  private var blockBytes: Int?
  private var blockEnds = false
  private var blocks = 0
  private var stream: Int32 = 0
  /// Streams that the peer reset last; a ring.
  private var resets: [Int32] = []
  private var nextReset = 0
  private static let maxResets = 16
  /// HEADERS or DATA came on a stream that the peer had ended or reset (RFC 9113 §5.1, "closed"). nghttp2
  /// passes over them: it may not know that they did not cross a reset of ours.
  private(set) var hasStray = false

  /// - Parameter skipping: bytes before the first frame: a server's peer sends the preface.
  init(skipping: Int) { skip = skipping }

  static let prefaceBytes = 24
  private static let headerBytes = 9

  /// - Parameters:
  ///   - bytes: as they came.
  ///   - isOver: whether a stream is, after its peer ended it; nil: nobody looks for strays.
  mutating func count(_ bytes: Span<UInt8>, isOver: ((Int32) -> Bool)? = nil) {
    var index = 0
    while index < bytes.count {
      if skip > 0 {
        let passed = min(skip, bytes.count - index)
        skip -= passed
        index += passed
        if skip == 0 { payloadEnded() }
      } else {
        header(bytes[index], isOver)
        index += 1
      }
    }
  }

  /// What was counted since the last time, and the header block under way.
  mutating func take() -> PeerUsage {
    defer { usage = PeerUsage() }
    usage.headerBlock = blockBytes.map { PeerUsage.Block(number: blocks, bytes: $0) }
    return usage
  }

  private mutating func header(_ byte: UInt8, _ isOver: ((Int32) -> Bool)?) {
    switch position {
    case 0...2: length = length << 8 | Int(byte)
    case 3: type = byte
    case 4: flags = byte
    case 5: stream = Int32(byte & 0x7f)
    default: stream = stream << 8 | Int32(byte)
    }
    position += 1
    guard position == Self.headerBytes else { return }
    began()
    if let isOver { look(isOver) }
    skip = length
    (position, length) = (0, 0)
    if skip == 0 { payloadEnded() }
  }

  private mutating func began() {
    switch FrameType(rawValue: type) {
    case .data:
      if length == 0, flags & Self.endStream == 0 { usage.work += 1 }
    case .headers:
      blocks += 1
      usage.blocks += 1
      blockBytes = nil
      beginBlock()
    case .continuation:
      usage.work += 1
      beginBlock()
    case .reset: usage.resets += 1
    case .settings: usage.work += flags & Self.acknowledges == 0 ? Self.settingsWork : 1
    default: usage.work += 1
    }
  }

  private mutating func look(_ isOver: (Int32) -> Bool) {
    switch FrameType(rawValue: type) {
    case .data, .headers: if resets.contains(stream) || isOver(stream) { hasStray = true }
    case .reset where resets.count < Self.maxResets: resets.append(stream)
    case .reset:
      resets[nextReset] = stream
      nextReset = (nextReset + 1) % Self.maxResets
    default: break
    }
  }

  private mutating func beginBlock() {
    blockBytes = (blockBytes ?? 0) + length
    blockEnds = flags & Self.endHeaders != 0
  }

  private mutating func payloadEnded() {
    guard blockEnds else { return }
    blockEnds = false
    blockBytes = nil
  }

  private static let endStream: UInt8 = 1
  private static let acknowledges: UInt8 = 1
  private static let endHeaders: UInt8 = 4
  /// A new initial window changes each stream's.
  private static let settingsWork = 10

  private enum FrameType: UInt8 {
    case data = 0
    case headers = 1
    case reset = 3
    case settings = 4
    case continuation = 9
  }
}

/// What a peer had us do in a while, beyond its calls.
package struct PeerUsage: Sendable, Equatable {
  /// Frames that carry nothing of a call: PING, SETTINGS (ten times), WINDOW_UPDATE, PRIORITY,
  /// CONTINUATION, empty DATA, unknown ones.
  package var work = 0
  /// Streams that it reset, and that it made us reset by breaking the protocol.
  package var resets = 0
  /// Header blocks that began: calls, but for trailers.
  package var blocks = 0
  /// Bytes of bodies that we sent: for these a peer may send WINDOW_UPDATEs.
  package var sent = 0
  /// The header block that has begun and not ended.
  package var headerBlock: Block?

  package struct Block: Sendable, Equatable {
    /// Counts up; another number is another block.
    package var number: Int
    /// As announced by its frames so far, still compressed.
    package var bytes: Int

    package init(number: Int, bytes: Int) {
      self.number = number
      self.bytes = bytes
    }
  }

  package init() {}
}
