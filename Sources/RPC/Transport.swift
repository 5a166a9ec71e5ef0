internal import HTTP2
internal import TLS

/// What lies between a connection's frames and its socket: TLS, or nothing.
///
/// Bytes in, bytes out, as `TLSSession`. Plaintext is HTTP/2 with prior knowledge (RFC 9113 §3.3):
/// nobody is authenticated, so nothing that needs a principal can be reached by it.
struct Transport: ~Copyable {
  /// `nil`: plaintext.
  private var tls: TLSSession?
  // Plaintext only: what waits for the socket.
  private var output: [UInt8] = []
  private var taken = 0

  /// A server's half; `nil` for plaintext.
  static func server(_ context: TLSContext?) throws(TLSError) -> Transport {
    guard let context else { return Transport(tls: nil) }
    return Transport(tls: try TLSSession(server: context))
  }

  /// A client's half; `nil` for plaintext.
  static func client(
    _ context: TLSContext?,
    serverName: String
  ) throws(TLSError) -> Transport {
    guard let context else { return Transport(tls: nil) }
    return Transport(tls: try TLSSession(client: context, serverName: serverName))
  }

  private init(tls: consuming TLSSession?) { self.tls = tls }

  var isPlaintext: Bool {
    switch tls {
    case .some: false
    case .none: true
    }
  }

  /// Data may flow.
  var isEstablished: Bool {
    switch tls {
    case .some(let tls): tls.isEstablished
    case .none: true
    }
  }

  /// The peer said that it sends no more. Plaintext has no word for it but the socket's end.
  var peerClosed: Bool {
    switch tls {
    case .some(let tls): tls.peerClosed
    case .none: false
    }
  }

  var peerCertificatesDER: [[UInt8]] {
    switch tls {
    case .some(let tls): tls.peerCertificatesDER
    case .none: []
    }
  }

  mutating func start() throws(TLSError) { try tls?.start() }

  /// As `TLSSession.receive`.
  mutating func receive(
    _ input: Span<UInt8>,
    into plaintext: inout [UInt8]
  ) throws(TLSError) -> Int {
    if tls != nil { return try tls?.receive(input, into: &plaintext) ?? 0 }
    for index in 0..<input.count { plaintext[index] = input[index] }
    return input.count
  }

  mutating func send(_ plaintext: Span<UInt8>) throws(TLSError) {
    if tls != nil { return try tls?.send(plaintext) ?? () }
    output.append(copying: plaintext)
  }

  mutating func close() { tls?.close() }

  /// Bytes to write to the peer that were not yet taken.
  var outputCount: Int {
    switch tls {
    case .some(let tls): tls.outputCount
    case .none: output.count - taken
    }
  }

  /// Of plaintext: bytes of memory that the output takes, those taken of it included.
  var heldOutput: Int { output.count }

  /// Lends the output; `body` returns how many bytes of its front it took.
  mutating func withOutput<E: Error>(_ body: (Span<UInt8>) throws(E) -> Int) throws(E) {
    if tls != nil { return try tls?.withOutput(body) ?? () }
    taken += try lend(body)
    if taken == output.count {
      taken = 0
      output = []
    } else if taken > Self.keptBytes, taken * 2 > output.count {
      // A peer may take all and never be done. Amortised: each byte moves at most once.
      output.removeFirst(taken)
      taken = 0
    }
  }

  private borrowing func lend<E: Error>(_ body: (Span<UInt8>) throws(E) -> Int) throws(E) -> Int {
    try body(output.span.extracting(taken..<output.count))
  }

  /// Of bytes that were taken, as many may be kept.
  private static let keptBytes = 65_536

  /// Frees the output buffer of a connection that has nothing to send.
  mutating func trim() { tls?.trim() }
}
