internal import COpenSSL

/// One TLS connection's state: ciphertext in, plaintext out, and the reverse. No I/O.
///
/// Not `Sendable`: it stays with the event loop that made it.
@safe package struct TLSSession: ~Copyable {
  private let handle: OpaquePointer
  private let transport: Transport  // OpenSSL's BIO holds it unretained; freed after `handle`
  /// The handshake is over: the peer is who its certificate says, and data may flow.
  package private(set) var isEstablished = false
  /// The peer sent its last byte in an orderly way (close_notify).
  package private(set) var peerClosed = false
  /// Records that brought no data since the handshake: tickets, new keys.
  private var emptyRecords = 0

  /// A server's half.
  package init(server context: TLSContext) throws(TLSError) {
    let transport = Transport()
    let handle = try unsafe Self.make(context, transport)
    unsafe SSL_set_accept_state(handle)
    unsafe self.handle = handle
    self.transport = transport
  }

  /// A client's half. `serverName` is what the server's certificate must be for: a DNS name or an
  /// IP address.
  package init(client context: TLSContext, serverName: String) throws(TLSError) {
    let transport = Transport()
    let handle = try unsafe Self.make(context, transport)
    do {
      try unsafe Self.expect(serverName, on: handle)
    } catch {
      unsafe SSL_free(handle)
      throw error
    }
    unsafe SSL_set_connect_state(handle)
    unsafe self.handle = handle
    self.transport = transport
  }

  private static func make(
    _ context: TLSContext,
    _ transport: Transport
  ) throws(TLSError) -> OpaquePointer {
    ERR_clear_error()
    guard let handle = unsafe SSL_new(context.handle) else {
      throw .drain(.configuration, doing: "make a TLS connection")
    }
    guard let bio = unsafe BIO_new(Transport.method) else {
      unsafe SSL_free(handle)
      throw .drain(.configuration, doing: "make a TLS connection")
    }
    unsafe BIO_set_data(bio, Unmanaged.passUnretained(transport).toOpaque())
    unsafe BIO_set_init(bio, 1)
    unsafe SSL_set_bio(handle, bio, bio)
    return unsafe handle
  }

  private static func expect(_ serverName: String, on handle: OpaquePointer) throws(TLSError) {
    // An address is matched against IP names; it is never sent as a server name (RFC 6066 §3).
    let parameters = unsafe SSL_get0_param(handle)
    guard unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, serverName) != 1 else { return }
    ERR_clear_error()
    guard unsafe SSL_set1_host(handle, serverName) == 1,
      unsafe gh_ssl_set_server_name(handle, serverName) == 1
    else { throw .drain(.configuration, doing: "use the server name '\(serverName)'") }
  }

  deinit { unsafe SSL_free(handle) }

  /// Begins the handshake: a client's first flight becomes output.
  package mutating func start() throws(TLSError) { try handshake() }

  /// Feeds bytes read from the peer; all are consumed. Look at the output afterwards, also when
  /// this throws: there may be an alert to send.
  ///
  /// Decrypted bytes go into `plaintext`, from its front, which must have room for the input and
  /// one record (16 KiB) more. Gives the number of bytes filled.
  package mutating func receive(
    _ ciphertext: Span<UInt8>,
    into plaintext: inout [UInt8]
  ) throws(TLSError) -> Int {
    precondition(plaintext.count >= ciphertext.count + Self.maxRecordBytes)
    ERR_clear_error()
    return try unsafe ciphertext.withUnsafeBytes { (bytes) throws(TLSError) -> Int in
      unsafe transport.input = bytes
      defer { unsafe transport.input = UnsafeRawBufferPointer(start: nil, count: 0) }
      if !isEstablished { try handshake() }
      guard isEstablished else { return 0 }
      return try readAll(into: &plaintext)
    }
  }

  /// Encrypts `plaintext`; the result is output.
  package mutating func send(_ plaintext: Span<UInt8>) throws(TLSError) {
    guard plaintext.count > 0 else { return }
    ERR_clear_error()
    let count = unsafe plaintext.withUnsafeBytes { bytes in
      unsafe SSL_write(handle, bytes.baseAddress, Int32(bytes.count))
    }
    guard count == plaintext.count else { throw .drain(.protocolFailure, doing: "encrypt") }
  }

  /// Says that nothing more will be sent (close_notify).
  package mutating func close() {
    guard isEstablished else { return }
    ERR_clear_error()
    _ = unsafe SSL_shutdown(handle)
    ERR_clear_error()
  }

  /// Bytes to write to the peer that were not yet taken.
  package var outputCount: Int { transport.output.count - transport.taken }

  /// Bytes of memory that the output takes, those taken of it included.
  var heldOutput: Int { transport.output.count }

  /// Lends the output; `body` returns how many bytes of its front it took.
  package mutating func withOutput<E: Error>(
    _ body: (Span<UInt8>) throws(E) -> Int
  ) throws(E) {
    let count = try transport.lend(body)
    transport.take(count)
  }

  /// The peer's verified chain, leaf first, in DER. Empty when it presented none.
  package var peerCertificatesDER: [[UInt8]] {
    guard isEstablished, let chain = unsafe SSL_get0_verified_chain(handle) else { return [] }
    var certificates: [[UInt8]] = []
    for index in 0..<(unsafe gh_x509_chain_count(chain)) {
      let certificate = unsafe gh_x509_chain_at(chain, index)
      let count = unsafe i2d_X509(certificate, nil)
      guard count > 0 else { continue }
      unsafe certificates.append(
        [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
          var next = buffer.baseAddress
          filled = unsafe Int(i2d_X509(certificate, &next))
        }
      )
    }
    return certificates
  }

  /// New keys cost some 50 µs, a hundred times their bytes' worth. Keys last for 2^24 records (RFC 8446 §5.5).
  private static let maxEmptyRecords = 256

  /// RFC 8446 §5.1: 2^14 bytes of content.
  package static let maxRecordBytes = 16_384

  private mutating func handshake() throws(TLSError) {
    ERR_clear_error()
    let code = unsafe SSL_do_handshake(handle)
    if code == 1 {
      guard unsafe SSL_is_server(handle) == 1 || hasProtocol else {
        throw TLSError(
          .protocolFailure,
          "the server does not speak HTTP/2: it chose no application protocol (ALPN)"
        )
      }
      isEstablished = true
      return
    }
    let reason = unsafe SSL_get_error(handle, code)
    guard reason != SSL_ERROR_WANT_READ, reason != SSL_ERROR_WANT_WRITE else { return }
    let verification = unsafe SSL_get_verify_result(handle)
    let error = TLSError.drain(.protocolFailure, doing: "TLS handshake")
    guard error.code == .certificateRejected,
      let text = unsafe X509_verify_cert_error_string(verification)
    else { throw error }
    throw TLSError(
      .certificateRejected,
      unsafe "the certificate was rejected: \(String(cString: text))"
    )
  }

  /// RFC 9113 §3.2: over TLS, HTTP/2 is agreed on by ALPN; a client asks for nothing else.
  private var hasProtocol: Bool {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    unsafe SSL_get0_alpn_selected(handle, &name, &count)
    return count > 0
  }

  private mutating func readAll(into plaintext: inout [UInt8]) throws(TLSError) -> Int {
    var filled = 0
    while filled < plaintext.count {
      let count = unsafe plaintext.withUnsafeMutableBytes { buffer in
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
        return unsafe SSL_read(handle, rest.baseAddress, Int32(rest.count))
      }
      if count > 0 {
        filled += Int(count)
        continue
      }
      switch unsafe SSL_get_error(handle, count) {
      case SSL_ERROR_WANT_READ:
        // Without SSL_MODE_AUTO_RETRY it returns after each record that brought no data.
        guard unsafe !transport.input.isEmpty else { return filled }
        emptyRecords += 1
        guard emptyRecords <= Self.maxEmptyRecords else {
          throw TLSError(.keysRenewed, "TLS: keys renewed again and again")
        }
      case SSL_ERROR_ZERO_RETURN:
        peerClosed = true
        return filled
      default: throw .drain(.protocolFailure, doing: "TLS")
      }
    }
    return filled
  }
}

/// What OpenSSL reads from and writes to: a BIO of our own, which lends the input where it lies and
/// gives its memory back when idle (a memory BIO costs a copy and keeps its memory).
@safe private final class Transport {
  /// Lent for the duration of `TLSSession.receive`.
  var input = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  var output: [UInt8] = []
  var taken = 0

  func lend<E: Error>(_ body: (Span<UInt8>) throws(E) -> Int) throws(E) -> Int {
    let output = output
    return try body(output.span.extracting(taken..<output.count))
  }

  func take(_ count: Int) {
    taken += count
    guard taken == output.count else {
      // A peer may take all and never be done. Amortised: each byte moves at most once.
      if taken > Self.keptBytes, taken * 2 > output.count {
        output.removeFirst(taken)
        taken = 0
      }
      return
    }
    taken = 0
    // A busy connection keeps its buffer; an idle one has none.
    if output.capacity > TLSSession.maxRecordBytes * 20 {
      output = []
    } else {
      output.removeAll(keepingCapacity: true)
    }
  }

  /// Of bytes that were taken, as many may be kept.
  private static let keptBytes = 65_536

  /// Frees the buffer of a connection with nothing to send.
  func trim() { if output.isEmpty { output = [] } }

  static func at(_ bio: OpaquePointer?) -> Transport {
    guard let data = unsafe BIO_get_data(bio) else { preconditionFailure("a BIO without data") }
    return unsafe Unmanaged.fromOpaque(data).takeUnretainedValue()
  }

  /// Made once; OpenSSL only reads it.
  nonisolated(unsafe) static let method: OpaquePointer? = {
    let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gatehouse")
    unsafe BIO_meth_set_read(method) { bio, buffer, count in
      let transport = unsafe Transport.at(bio)
      unsafe gh_bio_clear_retry(bio)
      let taken = min(Int(count), unsafe transport.input.count)
      guard taken > 0, let buffer = unsafe buffer, let source = unsafe transport.input.baseAddress
      else {
        unsafe gh_bio_set_retry_read(bio)
        return -1
      }
      unsafe buffer.withMemoryRebound(to: UInt8.self, capacity: taken) { target in
        unsafe UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: taken)
      }
      unsafe transport.input = UnsafeRawBufferPointer(rebasing: transport.input[taken...])
      return Int32(taken)
    }
    unsafe BIO_meth_set_write(method) { bio, buffer, count in
      let bytes = unsafe UnsafeRawBufferPointer(start: buffer, count: Int(count))
      unsafe Transport.at(bio).output.append(contentsOf: bytes)
      return count
    }
    unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    return unsafe method
  }()
}

extension TLSSession {
  /// Frees the output buffer of a connection that has nothing to send.
  package mutating func trim() { transport.trim() }
}
