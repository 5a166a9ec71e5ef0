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

  func append(_ bytes: ArraySlice<UInt8>) {
    if isHashed { hash.update(bytes.span) }
    ring.append(bytes)
  }

  func acknowledge(before offset: UInt64) throws(PositionError) {
    try ring.acknowledge(before: offset)
  }

  func close() {
    isClosed = true
    pipe = nil
  }

  var total: StreamTotal {
    StreamTotal(
      stream: stream.wire,
      bytes: ring.end,
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
