import EventLoop
import Glibc

/// A client of HTTP/2 in plaintext that writes frames byte by byte, and keeps account of the window
/// that the server gives the connection. Blocks its thread.
final class RawClient {
  private let socket: Socket
  /// What may be sent on the connection now, as the server has said so far.
  private(set) var window = 65_535
  /// WINDOW_UPDATEs for the connection so far.
  private(set) var windowUpdates = 0
  /// The code of a GOAWAY that came, and what it says.
  private(set) var goAway: UInt32?
  private(set) var goAwayText = ""
  /// Bytes of DATA that came, and streams whose end did.
  private(set) var received = 0
  private(set) var ended: Set<UInt32> = []
  private var credits: [UInt32: Int] = [:]
  private var output: [UInt8] = []
  private var input: [UInt8] = []
  private var buffer = [UInt8](repeating: 0, count: 65_536)
  private var pongs = 0
  private var lastStream: UInt32 = 0

  /// Says that it takes any amount of answers.
  init(to address: SocketAddress) throws {
    socket = try Socket.connecting(to: address)
    output += Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    frame(4, 0, 0, [0, 4] + Self.bytes(0x7fff_ffff))
    frame(8, 0, 0, Self.bytes(0x7fff_ffff - 65_535))
    try roundTrip()
  }

  /// Opens a stream with a gRPC request's headers; without a content type it is plain HTTP.
  func open(_ path: String, isGRPC: Bool = true) -> UInt32 {
    lastStream += lastStream == 0 ? 1 : 2
    var block: [UInt8] = [0x83, 0x86]  // :method POST, :scheme http
    for (name, value) in [(":path", path), (":authority", "test"), ("te", "trailers")] {
      Self.literal(name, value, to: &block)
    }
    if isGRPC { Self.literal("content-type", "application/grpc", to: &block) }
    frame(1, 4, lastStream, block)
    return lastStream
  }

  /// DATA, padded if told so; the padding counts against the window as well.
  func data(
    _ bytes: ArraySlice<UInt8>,
    on stream: UInt32,
    padding: UInt8? = nil,
    ends: Bool = false
  ) {
    var payload: [UInt8] = padding.map { [$0] } ?? []
    payload += bytes
    payload += [UInt8](repeating: 0, count: Int(padding ?? 0))
    window -= payload.count
    frame(0, (padding == nil ? 0 : 8) | (ends ? 1 : 0), stream, payload)
  }

  /// A message of gRPC.
  func message(_ bytes: [UInt8], on stream: UInt32, ends: Bool = false) {
    data(([0] + Self.bytes(UInt32(bytes.count)) + bytes)[...], on: stream, ends: ends)
  }

  func ping() { frame(6, 0, 0, [UInt8](repeating: 0, count: 8)) }

  /// A PING that is one byte too short.
  func brokenPing() { frame(6, 0, 0, [UInt8](repeating: 0, count: 7)) }

  /// Opens no more streams.
  func goingAway() { frame(7, 0, 0, Self.bytes(0) + Self.bytes(0)) }

  /// Room for a byte more on the last stream, which had all there is and used some.
  func takesMore() { frame(8, 0, lastStream, Self.bytes(1)) }

  /// What the stream's window was raised by so far.
  func credit(of stream: UInt32) -> Int { credits[stream, default: 0] }

  func reset(_ stream: UInt32) { frame(3, 0, stream, Self.bytes(8)) }

  /// Sends what was written, and waits until the server has handled it and said so. Twice: it answers
  /// PING before it sends what else there is.
  func roundTrip() throws {
    for _ in 0..<2 {
      let pongs = pongs
      ping()
      while self.pongs == pongs, goAway == nil { try exchange() }
    }
  }

  /// Writes what there is to write, and reads nothing.
  func write() throws {
    while !output.isEmpty {
      let waiting = output
      guard case .bytes(let count) = try socket.write(waiting.span) else { return }
      output.removeFirst(count)
    }
  }

  /// Reads what is here, answers what is to be answered, and lets others run: what it waits for may
  /// need the thread.
  ///
  /// - Throws: `Silence` when the server has sent its last byte.
  func read() async throws {
    try exchange(waiting: 10)
    await Task.yield()
  }

  /// Reads to the server's last byte.
  func readAll() async throws {
    do {
      while true { try await read() }
    } catch is Silence {}
  }

  // MARK: Bytes

  private func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) {
    output += Self.bytes(UInt32(payload.count)).dropFirst() + [type, flags] + Self.bytes(stream)
    output += payload
  }

  private static func bytes(_ number: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
  }

  /// A field without Huffman and without a place in the table (RFC 7541 §6.2.2); both are short.
  private static func literal(_ name: String, _ value: String, to block: inout [UInt8]) {
    block += [0, UInt8(name.utf8.count)] + name.utf8 + [UInt8(value.utf8.count)] + value.utf8
  }

  /// Waits until the socket can be read or written, and does so.
  ///
  /// - Parameter milliseconds: so long it waits; nil: long, and nothing by then is an error.
  /// - Throws: `Silence`; the socket's failures.
  private func exchange(waiting milliseconds: Int32? = nil) throws {
    var wanted = pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0)
    if !output.isEmpty { wanted.events |= Int16(POLLOUT) }
    guard unsafe poll(&wanted, 1, milliseconds ?? 30_000) > 0 else {
      if milliseconds != nil { return }
      throw Silence()
    }
    let waiting = output
    if !waiting.isEmpty, case .bytes(let count) = try socket.write(waiting.span) {
      output.removeFirst(count)
    }
    switch try socket.read(into: &buffer, atMost: buffer.count) {
    case .bytes(let count): input += buffer[..<count]
    case .end: throw Silence()
    case .wouldBlock: break
    }
    takeFrames()
  }

  private func takeFrames() {
    var start = 0
    while input.count - start >= 9 {
      let length = input[start..<start + 3].reduce(0) { $0 << 8 | Int($1) }
      guard input.count - start >= 9 + length else { break }
      let payload = input[(start + 9)..<(start + 9 + length)]
      take(input[start + 3], input[start + 4], stream: input[(start + 5)..<(start + 9)], payload)
      start += 9 + length
    }
    input.removeFirst(start)
  }

  private func take(
    _ type: UInt8,
    _ flags: UInt8,
    stream: ArraySlice<UInt8>,
    _ payload: ArraySlice<UInt8>
  ) {
    func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }
    switch type {
    case 4 where flags & 1 == 0: frame(4, 1, 0, [])
    case 6 where flags & 1 == 0: frame(6, 1, 0, Array(payload))
    case 6: pongs += 1
    case 0:
      received += payload.count
      if flags & 1 != 0 { ended.insert(number(stream)) }
    case 1 where flags & 1 != 0: ended.insert(number(stream))
    case 7:
      goAway = number(payload.dropFirst(4).prefix(4))
      goAwayText = String(decoding: payload.dropFirst(8), as: UTF8.self)
    case 8 where number(stream) == 0:
      window += Int(number(payload))
      windowUpdates += 1
    case 8: credits[number(stream), default: 0] += Int(number(payload))
    default: break
    }
  }

  /// The server closed the connection, or says nothing.
  struct Silence: Error {}
}
