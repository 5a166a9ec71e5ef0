internal import COpenSSL

/// Why a TLS connection, or its configuration, failed.
package struct TLSError: Error, Equatable, CustomStringConvertible {
  package enum Code: Sendable, Equatable {
    /// A certificate, key or setting of ours cannot be used.
    case configuration
    /// The peer did not present a certificate, and must.
    case certificateRequired
    /// The peer's certificate does not verify; the message says why.
    case certificateRejected
    /// The peer speaks plain HTTP.
    case plainHTTP
    /// The peer ended the connection with an alert, or broke the protocol.
    case protocolFailure
    /// The peer renews its keys again and again.
    case keysRenewed
  }

  package let code: Code
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }

  /// Turns what OpenSSL queued into an error, and empties its queue.
  static func drain(_ fallback: Code, doing operation: String) -> TLSError {
    var code = fallback
    var reasons: [String] = []
    while true {
      let error = ERR_get_error()
      guard error != 0 else { break }
      switch ERR_GET_REASON(error) {
      case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST: code = .plainHTTP
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: code = .certificateRequired
      case SSL_R_CERTIFICATE_VERIFY_FAILED: code = .certificateRejected
      default: break
      }
      if let reason = unsafe ERR_reason_error_string(error) {
        reasons.append(unsafe String(cString: reason))
      }
    }
    let reason = reasons.isEmpty ? "unknown reason" : reasons.joined(separator: ", ")
    return TLSError(code, "\(operation): \(reason)")
  }
}
