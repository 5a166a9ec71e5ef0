internal import COpenSSL

/// A certificate chain, leaf first, with the leaf's key: who we are.
package struct TLSIdentity: Sendable {
  package let chainPEM: String
  package let keyPEM: String

  package init(chainPEM: String, keyPEM: String) {
    self.chainPEM = chainPEM
    self.keyPEM = keyPEM
  }
}

/// What all connections of one listener, or of one client, have in common.
///
/// TLS 1.3 only unless asked. No session tickets and no cache: a resumed session skips the peer's
/// verification, chain and CRLs. ALPN is `h2`; a peer that offers another protocol is refused.
@safe package final class TLSContext: @unchecked Sendable {
  // Why @unchecked: an SSL_CTX counts its references with atomics, and is not changed after init.
  let handle: OpaquePointer
  let isServer: Bool

  /// For a listener.
  ///
  /// Client certificates are required and must chain to `clientAuthoritiesPEM`; with `nil` none is
  /// asked for.
  ///
  /// - Throws: `configuration`.
  package static func server(
    identity: TLSIdentity,
    clientAuthoritiesPEM: String?,
    allowTLS12: Bool = false
  ) throws(TLSError) -> TLSContext {
    let context = try TLSContext(isServer: true, allowTLS12: allowTLS12)
    try context.use(identity)
    if let clientAuthoritiesPEM {
      try context.trust(clientAuthoritiesPEM)
      unsafe SSL_CTX_set_verify(
        context.handle,
        SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
        nil
      )
    }
    unsafe SSL_CTX_set_alpn_select_cb(context.handle, selectProtocol, nil)
    return context
  }

  /// For connections to servers that chain to `authoritiesPEM`.
  ///
  /// - Throws: `configuration`.
  package static func client(
    identity: TLSIdentity?,
    authoritiesPEM: String,
    allowTLS12: Bool = false
  ) throws(TLSError) -> TLSContext {
    let context = try TLSContext(isServer: false, allowTLS12: allowTLS12)
    if let identity { try context.use(identity) }
    try context.trust(authoritiesPEM)
    unsafe SSL_CTX_set_verify(context.handle, SSL_VERIFY_PEER, nil)
    let code = unsafe SSL_CTX_set_alpn_protos(context.handle, [2, 0x68, 0x32], 3)
    guard code == 0 else { throw .drain(.configuration, doing: "set the protocol") }
    return context
  }

  private init(isServer: Bool, allowTLS12: Bool) throws(TLSError) {
    ERR_clear_error()
    guard let handle = unsafe SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method())
    else { throw .drain(.configuration, doing: "make a TLS context") }
    unsafe self.handle = handle
    self.isServer = isServer
    unsafe gh_ssl_ctx_set_min_version(handle, allowTLS12 ? TLS1_2_VERSION : TLS1_3_VERSION)
    // Idle connections keep no record buffers: 34 KB less each.
    unsafe gh_ssl_ctx_set_mode(handle, Int(SSL_MODE_RELEASE_BUFFERS))
    unsafe gh_ssl_ctx_set_session_cache_off(handle)
    _ = unsafe SSL_CTX_set_options(handle, gh_ssl_hardening_options())
    _ = unsafe SSL_CTX_set_num_tickets(handle, 0)
  }

  deinit { unsafe SSL_CTX_free(handle) }

  private func use(_ identity: TLSIdentity) throws(TLSError) {
    let chain = try PEM.certificates(in: identity.chainPEM, naming: "certificate chain")
    for (index, certificate) in chain.enumerated() {
      let code =
        index == 0
        ? unsafe SSL_CTX_use_certificate(handle, certificate.handle)
        : unsafe gh_ssl_ctx_add1_chain_cert(handle, certificate.handle)
      guard code == 1 else { throw .drain(.configuration, doing: "use the certificate chain") }
    }
    let key = try PEM.key(in: identity.keyPEM)
    guard unsafe SSL_CTX_use_PrivateKey(handle, key.handle) == 1,
      unsafe SSL_CTX_check_private_key(handle) == 1
    else { throw .drain(.configuration, doing: "use the private key for the certificate") }
  }

  private func trust(_ authoritiesPEM: String) throws(TLSError) {
    let authorities = try PEM.certificates(in: authoritiesPEM, naming: "authorities")
    let store = unsafe SSL_CTX_get_cert_store(handle)
    for authority in authorities {
      guard unsafe X509_STORE_add_cert(store, authority.handle) == 1 else {
        throw .drain(.configuration, doing: "trust an authority")
      }
      // Tells clients which of their certificates to choose.
      if isServer { _ = unsafe SSL_CTX_add_client_CA(handle, authority.handle) }
    }
  }

  /// RFC 7301 §3.2: `h2`, or a fatal `no_application_protocol`.
  private static let selectProtocol:
    @convention(c) (
      OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?,
      UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
    ) -> Int32 = { _, output, outputLength, input, inputLength, _ in
      var index = 0
      while index < Int(inputLength), let input = unsafe input {
        let length = Int(unsafe input[index])
        let name = unsafe UnsafeBufferPointer(start: input + index + 1, count: length)
        guard index + 1 + length <= Int(inputLength) else { break }
        if unsafe name.elementsEqual([0x68, 0x32]) {
          unsafe output?.pointee = input + index + 1
          unsafe outputLength?.pointee = UInt8(length)
          return SSL_TLSEXT_ERR_OK
        }
        index += 1 + length
      }
      return SSL_TLSEXT_ERR_ALERT_FATAL
    }
}
