internal import CNghttp2

/// What callbacks find the delegate and the output by.
final class Context {
  let delegate: any SessionDelegate
  /// Filled during `Session.send`.
  var output: [UInt8] = []
  var limit = 0
  /// Of the header block at hand, as RFC 9113 §6.5.2 counts.
  var listBytes = 0
  let maxListBytes: Int
  /// Bytes of bodies sent, and streams reset for what the peer did; since they were last taken.
  var sentBytes = 0
  var provokedResets = 0
  /// A GOAWAY with an error is ours; otherwise it is nghttp2's answer to the peer.
  var isEndedByUs = false

  init(_ delegate: any SessionDelegate, maxListBytes: Int) {
    self.delegate = delegate
    self.maxListBytes = maxListBytes
  }

  /// We end streams with `NO_ERROR` and `CANCEL`; anything else is nghttp2's answer to the peer.
  func sentReset(_ code: UInt32) {
    if code != HTTP2Code.noError.rawValue, code != HTTP2Code.cancel.rawValue { provokedResets += 1 }
  }

  static func at(_ user: UnsafeMutableRawPointer?) -> Context {
    guard let user = unsafe user else { preconditionFailure("callback without user data") }
    return unsafe Unmanaged.fromOpaque(user).takeUnretainedValue()
  }
}

/// Limits of the library, set before a session begins.
@safe struct Options: ~Copyable {
  let handle: OpaquePointer

  init(_ settings: Session.Settings) throws(HTTP2Error) {
    var options: OpaquePointer?
    try HTTP2Error.check(unsafe nghttp2_option_new(&options))
    guard let options = unsafe options else { preconditionFailure("success without options") }
    unsafe handle = options
    unsafe nghttp2_option_set_no_auto_window_update(options, 1)
    // It would keep as many streams that are over as may be open: a mebibyte of a link that has done its
    // work for an hour. What it keeps them for, `FrameMeter.hasStray` does.
    unsafe nghttp2_option_set_no_closed_streams(options, 1)
    // The second line: `PeerUsage` counts these too, and its bounds say why.
    unsafe nghttp2_option_set_stream_reset_rate_limit(
      options,
      2 &* settings.resetBurst &+ 16_384,
      2 &* settings.resetRate
    )
    unsafe gatehouse_set_max_continuations(options, Self.maxContinuations)
    unsafe gatehouse_set_glitch_rate_limit(options, Self.glitches, Self.glitches)
    // A peer cannot make us send; what we send, we bound ourselves.
    unsafe nghttp2_option_set_max_send_header_block_length(options, 256 * 1_024)
  }

  deinit { unsafe nghttp2_option_del(handle) }

  /// A header block of 64 KiB in frames of 16 KiB has three.
  private static let maxContinuations = 8
  /// Broken rules that nghttp2 forgives, at once and then in each second.
  private static let glitches: UInt64 = 10_000
}

/// The callbacks of every session: each finds its `Context` and tells its delegate.
@safe struct Callbacks: ~Copyable {
  let handle: OpaquePointer

  init() throws(HTTP2Error) {
    var callbacks: OpaquePointer?
    try HTTP2Error.check(unsafe nghttp2_session_callbacks_new(&callbacks))
    guard let callbacks = unsafe callbacks else {
      preconditionFailure("success without callbacks")
    }
    unsafe handle = callbacks
    setHeaderCallbacks()
    setDataCallbacks()
    setFrameCallbacks()
    setSendCallbacks()
  }

  deinit { unsafe nghttp2_session_callbacks_del(handle) }

  private func setHeaderCallbacks() {
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(handle) { _, frame, user in
      guard let frame = unsafe frame else { return 0 }
      let context = unsafe Context.at(user)
      context.listBytes = 0
      unsafe context.delegate.headersBegan(on: frame.pointee.hd.stream_id)
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_header_callback(handle) {
      _,
      frame,
      name,
      nameCount,
      value,
      valueCount,
      _,
      user in
      guard let frame = unsafe frame else { return 0 }
      let context = unsafe Context.at(user)
      context.listBytes += nameCount + valueCount + 32
      // One byte may stand for a field of 4 KiB: no more of them are looked at, the stream is reset.
      guard context.listBytes <= context.maxListBytes else {
        unsafe context.delegate.headersRefused(on: frame.pointee.hd.stream_id)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
      }
      let name = unsafe UnsafeBufferPointer(start: name, count: nameCount)
      let value = unsafe UnsafeBufferPointer(start: value, count: valueCount)
      unsafe context.delegate.header(
        on: frame.pointee.hd.stream_id,
        name: name.span,
        value: value.span
      )
      return 0
    }
  }

  private func setDataCallbacks() {
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(handle) {
      session,
      _,
      stream,
      data,
      count,
      user in
      // The connection's ledger: credited on arrival, whatever becomes of the bytes.
      _ = unsafe nghttp2_session_consume_connection(session, count)
      let bytes = unsafe UnsafeBufferPointer(start: data, count: count)
      unsafe Context.at(user).delegate.data(on: stream, bytes.span)
      return 0
    }
  }

  private func setFrameCallbacks() {
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(handle) { _, frame, user in
      guard let frame = unsafe frame else { return 0 }
      unsafe Self.received(frame, Context.at(user).delegate)
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(handle) {
      _,
      stream,
      code,
      user in
      unsafe Context.at(user).delegate.closed(stream, HTTP2Code(rawValue: code))
      return 0
    }
  }

  private static func received(
    _ frame: UnsafePointer<nghttp2_frame>,
    _ delegate: any SessionDelegate
  ) {
    let header = unsafe frame.pointee.hd
    let type = UInt32(header.type)
    if type == NGHTTP2_HEADERS.rawValue { delegate.headersEnded(on: header.stream_id) }
    if type == NGHTTP2_HEADERS.rawValue || type == NGHTTP2_DATA.rawValue,
      UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
    {
      delegate.ended(header.stream_id)
    }
    let isAck = UInt32(header.flags) & NGHTTP2_FLAG_ACK.rawValue != 0
    if type == NGHTTP2_PING.rawValue, isAck { delegate.pong() }
    if type == NGHTTP2_RST_STREAM.rawValue { delegate.resetReceived(on: header.stream_id) }
    if type == NGHTTP2_SETTINGS.rawValue, !isAck { delegate.settingsReceived() }
    if type == NGHTTP2_GOAWAY.rawValue {
      let goAway = unsafe frame.pointee.goaway
      unsafe delegate.goAway(
        lastStream: goAway.last_stream_id,
        HTTP2Code(rawValue: goAway.error_code),
        text(of: goAway)
      )
    }
  }

  private static func text(of goAway: nghttp2_goaway) -> String {
    let bytes = unsafe UnsafeBufferPointer(
      start: goAway.opaque_data,
      count: min(goAway.opaque_data_len, 1_024)
    )
    return unsafe String(decoding: bytes, as: UTF8.self)
  }

  private static func sent(_ goAway: nghttp2_goaway, _ context: Context) {
    if unsafe goAway.error_code != HTTP2Code.noError.rawValue, !context.isEndedByUs {
      unsafe context.delegate.broken(HTTP2Code(rawValue: goAway.error_code), text(of: goAway))
    }
    context.delegate.goAwaySent()
  }

  private func setSendCallbacks() {
    unsafe nghttp2_session_callbacks_set_on_frame_send_callback(handle) { _, frame, user in
      guard let frame = unsafe frame else { return 0 }
      let header = unsafe frame.pointee.hd
      let type = UInt32(header.type)
      if type == NGHTTP2_RST_STREAM.rawValue {
        unsafe Context.at(user).sentReset(frame.pointee.rst_stream.error_code)
      }
      if type == NGHTTP2_HEADERS.rawValue || type == NGHTTP2_DATA.rawValue {
        if UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0 {
          unsafe Context.at(user).delegate.endSent(on: header.stream_id)
        }
      } else if type == NGHTTP2_GOAWAY.rawValue {
        unsafe Self.sent(frame.pointee.goaway, Context.at(user))
      }
      return 0
    }
    // A header block that was too large to be sent: nobody would ever hear of that stream again.
    unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(handle) {
      session,
      frame,
      reason,
      _ in
      guard let frame = unsafe frame, reason == NGHTTP2_ERR_FRAME_SIZE_ERROR.rawValue else {
        return 0
      }
      _ = unsafe nghttp2_submit_rst_stream(
        session,
        UInt8(NGHTTP2_FLAG_NONE.rawValue),
        frame.pointee.hd.stream_id,
        HTTP2Code.internalError.rawValue
      )
      return 0
    }
    unsafe nghttp2_session_callbacks_set_send_callback(handle) { _, data, count, _, user in
      let context = unsafe Context.at(user)
      guard context.output.count < context.limit else {
        return Int(NGHTTP2_ERR_WOULDBLOCK.rawValue)
      }
      unsafe context.output.append(contentsOf: UnsafeBufferPointer(start: data, count: count))
      return count
    }
    unsafe nghttp2_session_callbacks_set_send_data_callback(handle) {
      _,
      frame,
      header,
      count,
      _,
      user in
      let context = unsafe Context.at(user)
      guard context.output.count < context.limit, let frame = unsafe frame else {
        return NGHTTP2_ERR_WOULDBLOCK.rawValue
      }
      context.sentBytes += count
      // Never padded: no select_padding callback is set.
      unsafe context.output.append(contentsOf: UnsafeBufferPointer(start: header, count: 9))
      unsafe context.delegate.copy(
        count,
        from: frame.pointee.hd.stream_id,
        into: &context.output
      )
      return 0
    }
  }

  /// nghttp2 asks what a stream has to send; the bytes themselves are copied once, by the
  /// send-data callback, straight into the output.
  static let read: nghttp2_data_source_read_callback = {
    session,
    stream,
    _,
    limit,
    flags,
    _,
    user in
    guard let flags = unsafe flags else { return 0 }
    switch unsafe Context.at(user).delegate.next(on: stream, limit: limit) {
    case .bytes(let count):
      unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
      return count
    case .wait:
      return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    case .last(let count):
      unsafe flags.pointee |=
        NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_COPY.rawValue
      return count
    case .trailers(let fields, let count):
      unsafe flags.pointee |=
        NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
        | NGHTTP2_DATA_FLAG_NO_COPY.rawValue
      _ = unsafe fields.withPairs { pairs in
        unsafe nghttp2_submit_trailer(session, stream, pairs.baseAddress, pairs.count)
      }
      return count
    }
  }
}
