internal import HTTP2

/// One call on one connection: what arrived and is being put together, and what waits to be sent.
///
/// Belongs to its connection; never seen outside it.
final class StreamState {
  let id: Int32

  // What arrives.
  var fields = IncomingFields()
  var assembler: MessageAssembler
  var peerEnded = false
  /// At a server: no whole message has come yet.
  var isUnstarted = false
  /// Part of a message is here; counted by the table.
  var isPartial = false
  /// Bytes of it that the table has counted.
  var partialBytes = 0
  /// Bytes of its header fields and its request that are kept until it is over; counted by the table.
  var keptBytes = 0
  /// Its one request is here, and its end is not; counted by the table.
  var awaitsEnd = false
  /// How often it was found so, since its headers or its last whole message.
  var sweeps = 0
  /// Bytes of the message at hand, prefix included, that are the connection's to hold; 0: none, its
  /// parts are not credited.
  var promised = 0
  /// It waits in line for that.
  var isInLine = false
  /// Its stream is over: what it asked for need not be done.
  var isGone = false
  /// Bytes of whole messages that the handler has not taken yet.
  private var heldBytes = 0
  /// What compressed messages came to, since the handler last had none.
  private var inflatedBytes = 0
  /// Bytes that the handler took, and bytes that the peer got back, since the stream began.
  private var takenBytes = 0
  private var creditedBytes = 0
  /// The stream's window, as far as we raised it.
  var window: Int

  // What is sent.
  private var queue: [[UInt8]] = []
  private var head = 0
  private var headOffset = 0  // into prefix and message of the first entry
  /// `sendCompressed` compresses: both sides said so.
  var gzips = false
  private var sent = 0  // entries that left the queue
  /// Which entries are compressed, counted as `sent` counts.
  private var compressed: [Int] = []
  private(set) var queuedBytes = 0
  /// Set once nothing more will be queued.
  var ending: Ending?
  var isWaiting = false  // nghttp2 was told there is nothing now
  var sentHeaders = false
  /// The handler hears when the queue falls below the low mark.
  var wantsDrained = false

  /// Who hears of this call; gone when it was told the end.
  var handler: Handler?
  var deadline: DeadlineTimer?
  /// Those who wait for room in the queue.
  var roomWaiters: [CheckedContinuation<Void, any Error>] = []

  enum Handler {
    case server(any ServerHandler, ServerCall)
    case client(any ClientHandler, ClientCall)
  }

  enum Ending {
    case halfClose
    case trailers(HeaderBlock)
    /// The end is with the session.
    case over
  }

  init(id: Int32, window: Int, maxMessageBytes: Int) {
    self.id = id
    self.window = window
    assembler = MessageAssembler(maxBytes: maxMessageBytes)
  }

  /// A whole message of `bytes`, prefix included, goes to the handler.
  func hold(_ bytes: Int) { heldBytes += bytes }

  /// A message came compressed and has `bytes`; before `hold`.
  ///
  /// - Returns: what such messages hold while the handler has not taken all it was given.
  func inflate(_ bytes: Int) -> Int {
    if heldBytes == 0 { inflatedBytes = 0 }
    inflatedBytes += bytes
    return inflatedBytes
  }

  /// The handler took `bytes` of what it was given.
  func take(_ bytes: Int) {
    let bytes = min(bytes, heldBytes)
    heldBytes -= bytes
    takenBytes += bytes
  }

  /// A message larger than its window would never become whole: the parts of one are to be credited
  /// when nothing else is held. So a stream costs at most its window and one message.
  var wantsParts: Bool { heldBytes == 0 && assembler.exceeds(window: window / 2) }

  /// The peer cannot send the rest of the message at hand before we do something.
  var holdsPeerUp: Bool { heldBytes > 0 || wantsParts && promised == 0 }

  /// What the peer is to send soon has not come, and it could.
  var isLate: Bool { isUnstarted || awaitsEnd || isPartial && !holdsPeerUp }

  /// The credit that the peer is due now: what was taken, and of the message at hand what was promised.
  func creditDue() -> Int {
    var target = takenBytes
    if wantsParts, promised > 0 { target += assembler.partialBytes }
    guard target > creditedBytes else { return 0 }
    defer { creditedBytes = target }
    return target - creditedBytes
  }

  /// Below this, a drained handler fills the queue again.
  static let lowMark = 64 * 1_024

  func enqueue(_ message: [UInt8]) {
    queue.append(message)
    queuedBytes += message.count + MessageAssembler.prefixBytes
  }

  /// The next message to be queued is compressed.
  func markNextCompressed() { compressed.append(sent + queue.count - head) }

  /// Queues bytes that are no message, as the only ones: the body of an HTTP answer.
  func enqueueBody(_ bytes: [UInt8]) {
    precondition(queue.isEmpty, "a body stands alone")
    queue.append(bytes)
    headOffset = MessageAssembler.prefixBytes
    queuedBytes = bytes.count
  }

  func next(limit: Int) -> Outgoing {
    if queuedBytes > limit { return .bytes(limit) }
    switch ending {
    case .halfClose: return .last(queuedBytes)
    case .trailers(let block): return .trailers(block, after: queuedBytes)
    case .over: return .wait
    case nil:
      guard queuedBytes > 0 else {
        isWaiting = true
        return .wait
      }
      return .bytes(queuedBytes)
    }
  }

  /// Appends the next `count` bytes of the queue.
  func copy(_ count: Int, into output: inout [UInt8]) {
    var missing = count
    while missing > 0 {
      let message = queue[head]
      if headOffset < MessageAssembler.prefixBytes {
        let taken = copyPrefix(of: message, at: headOffset, atMost: missing, into: &output)
        headOffset += taken
        missing -= taken
      }
      let start = headOffset - MessageAssembler.prefixBytes
      if start >= 0 {
        let taken = min(missing, message.count - start)
        output.append(contentsOf: message[start..<start + taken])
        headOffset += taken
        missing -= taken
      }
      if headOffset == message.count + MessageAssembler.prefixBytes { removeHead() }
    }
    queuedBytes -= count
  }

  private func copyPrefix(
    of message: [UInt8],
    at offset: Int,
    atMost limit: Int,
    into output: inout [UInt8]
  ) -> Int {
    let size = MessageAssembler.prefixBytes
    let isCompressed = compressed.first == sent
    if offset == 0, limit >= size {
      MessageAssembler.appendPrefix(
        length: message.count,
        isCompressed: isCompressed,
        to: &output
      )
      return size
    }
    var prefix: [UInt8] = []
    MessageAssembler.appendPrefix(
      length: message.count,
      isCompressed: isCompressed,
      to: &prefix
    )
    let part = prefix[offset..<min(size, offset + limit)]
    output.append(contentsOf: part)
    return part.count
  }

  private func removeHead() {
    if compressed.first == sent { compressed.removeFirst() }
    sent += 1
    queue[head] = []
    head += 1
    headOffset = 0
    // Amortised: each entry moves at most once.
    guard head == queue.count || head > 64 && head * 2 > queue.count else { return }
    queue.removeFirst(head)
    head = 0
  }
}

/// The header fields that a call's machinery looks at, and the rest as metadata.
struct IncomingFields {
  var isPost = false
  var isHead = false
  var path = ""
  /// The content type is `application/grpc`, with or without a `+format` or parameters.
  var isGRPC = false
  var timeout: [UInt8]?
  /// `grpc-encoding`
  var encoding: [UInt8]?
  /// Look at `grpc-accept-encoding`: stock clients send it with each call.
  var wantsEncodings = false
  var acceptsGzip = false
  /// A name ending in `-bin` whose value is no base64.
  var malformed: String?
  var httpStatus: Int?
  var status: Int?
  var message: [UInt8] = []
  var metadata = Metadata()
  /// Of the block at hand, as RFC 9113 §10.5.1 counts: names, values, and 32 for each field.
  var bytes = 0
  /// Blocks seen: headers, then trailers.
  var blocks = 0

  static let overhead = 32

  /// Of a 1xx answer (RFC 9113 §8.1): it says what happens meanwhile, and the answer's own fields follow.
  var isInformational: Bool { (100..<200).contains(httpStatus ?? 0) }

  /// At a client: what a server's first block brings, unless it is the end, trailers-only or not. What
  /// comes behind it is the trailers'.
  mutating func takeInitialMetadata() -> Metadata? {
    guard blocks == 1, status == nil, foreignAnswer == nil else { return nil }
    defer { metadata = Metadata() }
    return metadata
  }

  /// What came counts on: such answers are bounded together.
  mutating func startAnew() {
    var fields = IncomingFields()
    fields.wantsEncodings = wantsEncodings
    fields.bytes = bytes
    self = fields
  }

  /// By the length of the name first: most names differ in it, and each call has a dozen fields.
  mutating func take(name: Span<UInt8>, value: Span<UInt8>) {
    switch name.count {
    case 2 where name.equals("te"): return
    case 5 where name.equals(":path"): path = String(copying: value)
    case 7 where name.equals(":method"):
      isPost = value.equals("POST")
      isHead = value.equals("HEAD")
    case 7 where name.equals(":scheme"): return
    case 7 where name.equals(":status"): httpStatus = Int(String(copying: value))
    case 10 where name.equals(":authority") || name.equals("user-agent"): return
    case 11 where name.equals("grpc-status"):
      status = Int(String(copying: value)) ?? RPCStatus.Code.unknown.rawValue
    case 12 where name.equals("content-type"): isGRPC = Self.isGRPC(value)
    case 12 where name.equals("grpc-timeout"): timeout = Array(copying: value)
    case 12 where name.equals("grpc-message"): message = Array(copying: value)
    case 13 where name.equals("grpc-encoding"): encoding = Array(copying: value)
    case 14 where name.equals("content-length"): return
    case 15 where name.equals("accept-encoding"): return
    case 20 where name.equals("grpc-accept-encoding"):
      if wantsEncodings { acceptsGzip = acceptsGzip || Self.namesGzip(value) }
    default: takeMetadata(name, value)
    }
  }

  private mutating func takeMetadata(_ name: Span<UInt8>, _ value: Span<UInt8>) {
    let name = String(copying: name)
    if !metadata.addField(name: name, value: Array(copying: value)) { malformed = name }
  }

  private static func isGRPC(_ type: Span<UInt8>) -> Bool {
    guard type.begins(with: "application/grpc") else { return false }
    let end = 16  // of that name
    return type.count == end || type[end] == UInt8(ascii: "+") || type[end] == UInt8(ascii: ";")
  }
}
