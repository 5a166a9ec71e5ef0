/// What a session calls while it reads and writes.
///
/// These run inside `Session.receive` and `Session.send`, so they record and answer; they must not
/// call the session.
package protocol SessionDelegate: AnyObject {
  /// A header block begins: a new stream at a server; a response, or trailers, at a client.
  func headersBegan(on stream: Int32)
  /// One field. Names arrive in lower case, pseudo-header fields first; checked by nghttp2.
  func header(on stream: Int32, name: Span<UInt8>, value: Span<UInt8>)
  func headersEnded(on stream: Int32)
  /// A header block whose fields come to too much: no more of them are told, and the stream is reset.
  func headersRefused(on stream: Int32)
  /// Some bytes of the body. The connection's window was credited; the stream's was not.
  func data(on stream: Int32, _ bytes: Span<UInt8>)
  /// The peer sent its last byte on this stream.
  func ended(_ stream: Int32)
  /// Our last byte on this stream was written.
  func endSent(on stream: Int32)
  /// The stream is over, in whatever way. Its number is never seen again.
  func closed(_ stream: Int32, _ code: HTTP2Code)
  /// Whether this stream is over, and the peer has ended it, as far as that is remembered: neither HEADERS
  /// nor DATA may come on it.
  func isOver(_ stream: Int32) -> Bool
  /// The peer reset a stream; `closed` follows.
  func resetReceived(on stream: Int32)
  /// The peer takes no stream above `lastStream`. `text`: what it says of that, at most 1 KiB.
  func goAway(lastStream: Int32, _ code: HTTP2Code, _ text: String)
  /// Our GOAWAY was written.
  func goAwaySent()
  /// The peer broke the protocol, and the session said so in a GOAWAY of its own: it is over.
  func broken(_ code: HTTP2Code, _ reason: String)
  func pong()
  /// The peer's SETTINGS arrived.
  func settingsReceived()

  /// What there is to send on a stream, at most `limit` bytes.
  func next(on stream: Int32, limit: Int) -> Outgoing
  /// Appends the next `count` bytes of the stream, as `next` promised them.
  func copy(_ count: Int, from stream: Int32, into output: inout [UInt8])
}

extension SessionDelegate {
  package func headersRefused(on stream: Int32) {}
  package func isOver(_ stream: Int32) -> Bool { false }
  package func resetReceived(on stream: Int32) {}
  package func broken(_ code: HTTP2Code, _ reason: String) {}
}

/// What a stream has to send.
package enum Outgoing {
  /// That many bytes now, at least 1, and perhaps more later.
  case bytes(Int)
  /// Nothing now: `Session.resume` when there is.
  case wait
  /// That many bytes, 0 or more, and END_STREAM.
  case last(Int)
  /// That many bytes, 0 or more, and these fields, with END_STREAM.
  case trailers(HeaderBlock, after: Int)
}
