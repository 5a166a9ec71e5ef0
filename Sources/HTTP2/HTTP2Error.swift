internal import CNghttp2

/// An nghttp2 error; `code` is one of `NGHTTP2_ERR_*`, below zero.
package struct HTTP2Error: Error, Equatable, CustomStringConvertible {
  package let code: Int32

  package var description: String { unsafe String(cString: nghttp2_strerror(code)) }

  /// The first bytes were not HTTP/2's preface (RFC 9113 §3.4).
  package var isBadPreface: Bool { code == NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue }

  /// The peer made us answer, or sent parts of a header block, beyond nghttp2's own bounds.
  package var isFlood: Bool {
    code == NGHTTP2_ERR_FLOODED.rawValue || code == Self.tooManyContinuations
  }

  /// `NGHTTP2_ERR_TOO_MANY_CONTINUATIONS`, which not all versions' headers have.
  private static let tooManyContinuations: Int32 = -905

  static func check(_ code: Int32) throws(HTTP2Error) {
    guard code >= 0 else { throw HTTP2Error(code: code) }
  }
}

/// Why a stream or connection ended, as HTTP/2 says it (RFC 9113 §7).
package struct HTTP2Code: RawRepresentable, Hashable, Sendable {
  package let rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let noError = HTTP2Code(rawValue: 0)
  package static let protocolError = HTTP2Code(rawValue: 1)
  package static let internalError = HTTP2Code(rawValue: 2)
  package static let flowControlError = HTTP2Code(rawValue: 3)
  package static let streamClosed = HTTP2Code(rawValue: 5)
  package static let refusedStream = HTTP2Code(rawValue: 7)
  package static let cancel = HTTP2Code(rawValue: 8)
  package static let enhanceYourCalm = HTTP2Code(rawValue: 11)
  package static let inadequateSecurity = HTTP2Code(rawValue: 12)
}
