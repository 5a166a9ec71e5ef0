internal import Calls
internal import Crypto
internal import DaemonWire
internal import EventLoop
internal import Sandbox

/// One output stream of a call: the pipe it comes from, the ring it waits in, and its digest.
final class CallOutput {
  let stream: CallStream
  private(set) var ring: OutputRing
  /// The next byte to send on the call's `Carry`.
  var sent: UInt64
  /// No more bytes will come from the tool.
  private(set) var isClosed = false
  private(set) var pipe: SharedDescriptor?
  /// Set while the loop watches the pipe.
  var registration: Registration?
  /// Bytes after the ring's that nobody will get; the plane makes a gap of them.
  private var lost: UInt64 = 0
  /// Nobody waits for the rest any more: what comes is only counted, what waits is not sent.
  private(set) var isDropping = false
  private var hash = SHA256()
  /// False after a change of daemon: then nobody has seen all bytes.
  private let isHashed: Bool

  init(_ stream: CallStream, ring: OutputRing) {
    self.stream = stream
    self.ring = ring
    sent = ring.start
    isHashed = ring.start == 0
  }

  func open(_ pipe: SharedDescriptor) { self.pipe = pipe }

  /// The first byte that was not read yet.
  var end: UInt64 { ring.end + lost }

  /// How many bytes `append` would take now.
  var room: Int { isDropping ? .max : ring.room }

  func append(_ bytes: ArraySlice<UInt8>) {
    if isHashed { hash.update(bytes.span) }
    if isDropping { lost += UInt64(bytes.count) } else { ring.append(bytes) }
  }

  /// From here on output is counted and dropped, with what waits to be sent.
  func dropRest() { isDropping = true }

  /// After its end: `count` bytes were written that nobody has read.
  func lose(_ count: UInt64) { lost += count }

  func acknowledge(before offset: UInt64) throws(PositionError) {
    // The plane may acknowledge its own gap for what was lost at the end.
    try ring.acknowledge(before: offset <= end ? min(offset, ring.end) : offset)
  }

  func close() {
    isClosed = true
    pipe = nil
  }

  var total: StreamTotal {
    StreamTotal(
      stream: stream.wire,
      bytes: end,
      sha256: isHashed ? hash.finalize() : []
    )
  }
}

extension CallStream {
  var wire: DaemonWire.Stream { DaemonWire.Stream(rawValue: Int32(rawValue)) }

  init?(_ wire: DaemonWire.Stream) {
    guard let number = UInt8(exactly: wire.rawValue) else { return nil }
    self.init(rawValue: number)
  }
}

extension Positions {
  /// Positions as they came; a stream that nobody knows is left out.
  init(_ offsets: [StreamOffset]) {
    self.init()
    for entry in offsets {
      if let stream = CallStream(entry.stream) { self[stream] = entry.offset }
    }
  }
}
