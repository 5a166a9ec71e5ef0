internal import HTTP2

/// Cuts a stream's bytes into messages (gRPC over HTTP/2, "Length-Prefixed-Message").
struct MessageAssembler {
  /// A message above this ends the stream.
  let maxBytes: Int
  /// Messages with the flag set are gzip; otherwise nothing was agreed.
  var takesGzip = false
  private var prefixCount = 0
  private var flag: UInt8 = 0
  private var length = 0
  private var message: [UInt8] = []
  /// The framing was broken; what follows means nothing.
  private var isBroken = false

  init(maxBytes: Int) { self.maxBytes = maxBytes }

  static let prefixBytes = 5

  /// Part of a message is here.
  var isPartial: Bool { prefixCount > 0 }

  /// Bytes held of a message that is not whole, its prefix included.
  var partialBytes: Int { prefixCount + message.count }

  /// What the message at hand comes to, its prefix included; known once that is here.
  var wholeBytes: Int { length + Self.prefixBytes }

  /// Whether the message at hand is too large to wait in a window of `bytes`: then its parts must
  /// be credited as they come.
  func exceeds(window bytes: Int) -> Bool {
    prefixCount == Self.prefixBytes && length + Self.prefixBytes > bytes
  }

  /// Takes the bytes of `input` in order; calls `deliver` for each message they complete,
  /// with the bytes it came in, the prefix included, and
  /// its flag.
  ///
  /// - Throws: a message that is too large, or compressed without agreement.
  mutating func append(
    _ input: Span<UInt8>,
    deliver: (_ message: [UInt8], _ wireBytes: Int, _ isCompressed: Bool) -> Void
  ) throws(RPCStatus) {
    guard !isBroken else { return }
    do {
      try assemble(input, deliver: deliver)
    } catch {
      stop()
      throw error
    }
  }

  /// Drops what is here of a message, and whatever comes.
  mutating func stop() {
    isBroken = true
    (prefixCount, length, message) = (0, 0, [])
  }

  private mutating func assemble(
    _ input: Span<UInt8>,
    deliver: (_ message: [UInt8], _ wireBytes: Int, _ isCompressed: Bool) -> Void
  ) throws(RPCStatus) {
    var index = 0
    while index < input.count {
      if prefixCount < Self.prefixBytes {
        try appendPrefix(input[index])
        index += 1
      } else {
        let count = min(length - message.count, input.count - index)
        message.append(copying: input.extracting(index..<index + count))
        index += count
      }
      guard prefixCount == Self.prefixBytes, message.count == length else { continue }
      let complete = flag == 0 ? message : try inflate(message)
      let wireBytes = length + Self.prefixBytes
      (prefixCount, length, message) = (0, 0, [])
      deliver(complete, wireBytes, flag != 0)
    }
  }

  private mutating func appendPrefix(_ byte: UInt8) throws(RPCStatus) {
    if prefixCount == 0 { flag = byte } else { length = length << 8 | Int(byte) }
    prefixCount += 1
    guard prefixCount == Self.prefixBytes else { return }
    guard flag == 0 || flag == 1 && takesGzip else {
      throw RPCStatus(.internalError, "a message has the flag \(flag), and no encoding was agreed")
    }
    guard length <= maxBytes else {
      throw RPCStatus(
        .resourceExhausted,
        "a message of \(length) bytes is above the limit of \(maxBytes)"
      )
    }
    // A length is a claim: memory follows the bytes that really come. The largest chunk, 64 KiB and
    // its fields, fits, and so never moves.
    message.reserveCapacity(min(length, 65 * 1_024))
  }

  /// The five bytes before a message.
  static func appendPrefix(
    length: Int,
    isCompressed: Bool = false,
    to output: inout [UInt8]
  ) {
    output.append(isCompressed ? 1 : 0)
    for shift in [24, 16, 8, 0] { output.append(UInt8(truncatingIfNeeded: length >> shift)) }
  }
}
