internal import CNghttp2

/// One HTTP/2 connection's protocol state: bytes in, bytes out, no I/O.
///
/// Owns an `nghttp2_session`. Not `Sendable`: it stays with the event loop that made it.
///
/// There are two flow-control ledgers. Credit for the connection returns as bytes arrive, also
/// for those that are dropped; credit for a stream returns by `credit`.
@safe package struct Session: ~Copyable {
  private let handle: OpaquePointer
  private var meter: FrameMeter
  private let isServer: Bool
  private let context: Context  // nghttp2 holds it unretained; `handle` is freed before it

  /// What this end tells its peer (RFC 9113 §6.5.2).
  package struct Settings: Sendable {
    package var maxConcurrentStreams: UInt32 = 4_096
    package var initialStreamWindow: UInt32 = 65_536
    package var connectionWindow: Int32 = 16 * 1_048_576
    package var maxHeaderListBytes: UInt32 = 16_384
    /// Resets that a peer may send at once, and then in each second.
    package var resetBurst: UInt64 = 10_000
    package var resetRate: UInt64 = 1_000

    package init() {}
  }

  /// A server's half.
  package init(
    server settings: Settings,
    delegate: any SessionDelegate
  ) throws(HTTP2Error) {
    try self.init(settings, delegate, isServer: true)
  }

  /// A client's half.
  package init(
    client settings: Settings,
    delegate: any SessionDelegate
  ) throws(HTTP2Error) {
    try self.init(settings, delegate, isServer: false)
  }

  private init(
    _ settings: Settings,
    _ delegate: any SessionDelegate,
    isServer: Bool
  ) throws(HTTP2Error) {
    let callbacks = try Callbacks()
    let options = try Options(settings)
    let context = Context(delegate, maxListBytes: 4 * Int(settings.maxHeaderListBytes))
    var handle: OpaquePointer?
    let user = unsafe Unmanaged.passUnretained(context).toOpaque()
    try HTTP2Error.check(
      isServer
        ? unsafe nghttp2_session_server_new2(&handle, callbacks.handle, user, options.handle)
        : unsafe nghttp2_session_client_new2(&handle, callbacks.handle, user, options.handle)
    )
    guard let handle = unsafe handle else { preconditionFailure("success without a session") }
    do {
      try unsafe Self.announce(settings, isServer: isServer, on: handle)
    } catch {
      unsafe nghttp2_session_del(handle)
      throw error
    }
    unsafe self.handle = handle
    self.context = context
    self.isServer = isServer
    meter = FrameMeter(skipping: isServer ? FrameMeter.prefaceBytes : 0)
  }

  deinit { unsafe nghttp2_session_del(handle) }

  private static func announce(
    _ settings: Settings,
    isServer: Bool,
    on handle: OpaquePointer
  ) throws(HTTP2Error) {
    func entry(_ id: nghttp2_settings_id, _ value: UInt32) -> nghttp2_settings_entry {
      nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
    }
    var entries = [
      entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.initialStreamWindow),
      entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.maxHeaderListBytes),
    ]
    entries.append(
      isServer
        ? entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.maxConcurrentStreams)
        : entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0)
    )
    try HTTP2Error.check(
      unsafe nghttp2_submit_settings(
        handle,
        UInt8(NGHTTP2_FLAG_NONE.rawValue),
        entries,
        entries.count
      )
    )
    try HTTP2Error.check(
      unsafe nghttp2_session_set_local_window_size(
        handle,
        UInt8(NGHTTP2_FLAG_NONE.rawValue),
        0,
        settings.connectionWindow
      )
    )
  }

  // MARK: Bytes

  /// Feeds bytes read from the peer; all are consumed.
  ///
  /// - Throws: when the peer broke the protocol. Send what is pending, then close.
  package mutating func receive(_ bytes: Span<UInt8>) throws(HTTP2Error) {
    meter.count(bytes, isOver: isServer ? { [context] in context.delegate.isOver($0) } : nil)
    if meter.hasStray {
      unsafe nghttp2_session_terminate_session(handle, HTTP2Code.streamClosed.rawValue)
    }
    let n = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe nghttp2_session_mem_recv(handle, bytes.baseAddress, bytes.count)
    }
    guard n >= 0 else { throw HTTP2Error(code: Int32(n)) }
  }

  /// What the peer had us do since the last time.
  package mutating func takeUsage() -> PeerUsage {
    var usage = meter.take()
    usage.resets += context.provokedResets
    usage.sent = context.sentBytes
    (context.provokedResets, context.sentBytes) = (0, 0)
    return usage
  }

  /// Appends frames that wait to be sent to `output`, until it holds `limit` bytes or more.
  package mutating func send(into output: inout [UInt8], limit: Int) throws(HTTP2Error) {
    swap(&context.output, &output)
    context.limit = limit
    let code = unsafe nghttp2_session_send(handle)
    swap(&context.output, &output)
    try HTTP2Error.check(code)
  }

  /// Frames that wait to be sent: acknowledgements, resets, headers; not the bodies behind them.
  package var queuedFrames: Int { unsafe nghttp2_session_get_outbound_queue_size(handle) }

  package var wantsWrite: Bool { unsafe nghttp2_session_want_write(handle) != 0 }

  /// False when the connection has no further use: close it once its output is sent.
  package var isAlive: Bool {
    unsafe nghttp2_session_want_read(handle) != 0 || nghttp2_session_want_write(handle) != 0
  }

  // MARK: Streams

  /// Opens a stream. Its body is asked for by `SessionDelegate.next`.
  ///
  /// - Returns: the stream's number.
  /// - Throws: when the connection takes no more streams.
  package mutating func request(_ headers: HeaderBlock) throws(HTTP2Error) -> Int32 {
    var source = unsafe Self.dataSource
    let stream = unsafe headers.withPairs { pairs in
      unsafe nghttp2_submit_request(handle, nil, pairs.baseAddress, pairs.count, &source, nil)
    }
    try HTTP2Error.check(stream)
    return stream
  }

  /// Answers a stream. With a body, it is asked for by `SessionDelegate.next`.
  package mutating func respond(
    on stream: Int32,
    _ headers: HeaderBlock,
    hasBody: Bool
  ) throws(HTTP2Error) {
    var source = unsafe Self.dataSource
    let code = unsafe headers.withPairs { pairs in
      hasBody
        ? unsafe nghttp2_submit_response(handle, stream, pairs.baseAddress, pairs.count, &source)
        : unsafe nghttp2_submit_response(handle, stream, pairs.baseAddress, pairs.count, nil)
    }
    try HTTP2Error.check(code)
  }

  /// Ends a stream that was answered with a body, and has nothing of it left to send.
  package mutating func sendTrailers(_ fields: HeaderBlock, on stream: Int32) {
    // Fails for want of memory only: a stream that is gone by then gets none.
    _ = unsafe fields.withPairs { pairs in
      unsafe nghttp2_submit_trailer(handle, stream, pairs.baseAddress, pairs.count)
    }
  }

  /// There is something to send on a stream whose `next` said `wait`.
  package mutating func resume(_ stream: Int32) {
    _ = unsafe nghttp2_session_resume_data(handle, stream)
  }

  /// Lets the peer send `bytes` more on this stream.
  package mutating func credit(_ bytes: Int, on stream: Int32) {
    _ = unsafe nghttp2_session_consume_stream(handle, stream, bytes)
  }

  /// Makes the stream's window at least `bytes` (RFC 9113 §6.9), for as long as it lives.
  package mutating func raiseWindow(of stream: Int32, to bytes: Int32) {
    guard unsafe nghttp2_session_get_stream_effective_local_window_size(handle, stream) < bytes
    else { return }
    _ = unsafe nghttp2_session_set_local_window_size(
      handle,
      UInt8(NGHTTP2_FLAG_NONE.rawValue),
      stream,
      bytes
    )
  }

  package mutating func reset(_ stream: Int32, _ code: HTTP2Code) {
    _ = unsafe nghttp2_submit_rst_stream(
      handle,
      UInt8(NGHTTP2_FLAG_NONE.rawValue),
      stream,
      code.rawValue
    )
  }

  package mutating func ping() {
    _ = unsafe nghttp2_submit_ping(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
  }

  /// Says that GOAWAY is coming, and refuses nothing yet (RFC 9113 §6.8): the peer may have opened
  /// streams that are on their way. A PING to see that it knows waits for `goAwaySent`: nghttp2 would
  /// send it first.
  package mutating func announceGoAway() {
    _ = unsafe nghttp2_submit_shutdown_notice(handle)
  }

  /// Says that streams above the last one taken will not be; the others go on.
  package mutating func goAway(_ code: HTTP2Code, _ reason: String) {
    let last = unsafe nghttp2_session_get_last_proc_stream_id(handle)
    let text = Array(reason.utf8)
    if code != .noError { context.isEndedByUs = true }
    _ = unsafe nghttp2_submit_goaway(
      handle,
      UInt8(NGHTTP2_FLAG_NONE.rawValue),
      last,
      code.rawValue,
      text,
      text.count
    )
  }

  private static var dataSource: nghttp2_data_provider {
    unsafe nghttp2_data_provider(source: nghttp2_data_source(), read_callback: Callbacks.read)
  }
}

extension HeaderBlock {
  /// Lends the fields as nghttp2's array. nghttp2 copies them before it returns.
  func withPairs<Result>(
    _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Result
  ) -> Result {
    unsafe bytes.withUnsafeBufferPointer { bytes in
      // On the stack: each response has two of these.
      unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: lengths.count) { pairs in
        var next = unsafe UnsafeMutablePointer(mutating: bytes.baseAddress)
        for (index, (name, value)) in lengths.enumerated() {
          let valueStart = unsafe next.map { unsafe $0 + Int(name) }
          unsafe pairs.initializeElement(
            at: index,
            to: nghttp2_nv(
              name: next,
              value: valueStart,
              namelen: Int(name),
              valuelen: Int(value),
              flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)
            )
          )
          unsafe next = valueStart.map { unsafe $0 + Int(value) }
        }
        return unsafe body(UnsafeBufferPointer(pairs))
      }
    }
  }
}
