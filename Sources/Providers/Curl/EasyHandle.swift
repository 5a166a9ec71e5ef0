internal import CCurl

/// One curl transfer: the easy handle, its header list and its error text. Belongs to the engine's
/// thread; freed with the last reference, after it left the multi handle.
@safe final class EasyHandle {
  let easy: UnsafeMutableRawPointer
  let transfer: Transfer
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private let errorText: UnsafeMutablePointer<CChar>
  private var head = HTTPHead(status: 0, headers: [])

  /// - Throws: `invalidURL`, or `other` when memory is out.
  init(_ transfer: Transfer) throws(HTTPError) {
    guard let easy = unsafe curl_easy_init() else {
      throw HTTPError(code: .other, reason: "libcurl is out of memory")
    }
    unsafe self.easy = easy
    self.transfer = transfer
    unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    try configure(transfer.request)
  }

  deinit {
    unsafe curl_easy_cleanup(easy)
    unsafe curl_slist_free_all(headerList)
    unsafe errorText.deallocate()
  }

  /// Lets a paused transfer go on; curl may deliver at once.
  func resume() { unsafe curl_easy_pause(easy, CURLPAUSE_CONT) }

  /// What curl's result means for the reader; `nil` for a whole response.
  func error(for code: CURLcode) -> HTTPError? {
    guard code != CURLE_OK else { return nil }
    let detail = unsafe String(cString: errorText)
    let text = unsafe detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
    // curl has one code for a scheme it does not speak, and for an answer without a status line.
    if code == CURLE_UNSUPPORTED_PROTOCOL, text.contains("HTTP/0.9") {
      return HTTPError(code: .notHTTP, reason: text)
    }
    return HTTPError(code: HTTPError.Code(code, started: head.status != 0), reason: text)
  }

  private func configure(_ request: HTTPRequest) throws(HTTPError) {
    try setTarget(request)
    try set(CURLOPT_CONNECTTIMEOUT_MS, request.limits.connect.milliseconds)
    // Less than a byte a second for that long is a stopped transfer.
    try set(CURLOPT_LOW_SPEED_LIMIT, 1)
    try set(CURLOPT_LOW_SPEED_TIME, max(1, Int(request.limits.idle.components.seconds)))
    try set(CURLOPT_HTTP_VERSION, gh_curl_http_2_tls)
    try set(CURLOPT_NOSIGNAL, 1)  // signals and threads do not go together
    try set(CURLOPT_FOLLOWLOCATION, 0)
    try set(CURLOPT_SSL_VERIFYPEER, 1)
    try set(CURLOPT_SSL_VERIFYHOST, 2)
    try setHeaders(request.headers)
    try setSinks()
  }

  private func setTarget(_ request: HTTPRequest) throws(HTTPError) {
    try set(CURLOPT_URL, request.url)
    try unsafe check(gh_curl_set_http_only(easy))
    try set(CURLOPT_CUSTOMREQUEST, request.method)
    guard !request.body.isEmpty else { return }
    try unsafe check(
      request.body.withUnsafeBytes { bytes in
        unsafe gh_curl_set_body(
          easy,
          bytes.bindMemory(to: CChar.self).baseAddress,
          curl_off_t(bytes.count)
        )
      }
    )
  }

  private func setHeaders(_ headers: [HTTPHeader]) throws(HTTPError) {
    // curl would wait a second for "100 Continue" before a large body.
    for header in headers + [HTTPHeader("Expect", "")] {
      let line = header.value.isEmpty ? "\(header.name):" : "\(header.name): \(header.value)"
      guard let list = unsafe curl_slist_append(headerList, line) else {
        throw HTTPError(code: .other, reason: "libcurl is out of memory")
      }
      unsafe headerList = list
    }
    try unsafe check(gh_curl_set_list(easy, CURLOPT_HTTPHEADER, headerList))
  }

  private func setSinks() throws(HTTPError) {
    // Unretained: this object frees the easy handle, and with it the callbacks.
    let user = unsafe Unmanaged.passUnretained(self).toOpaque()
    try unsafe check(gh_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText))
    try unsafe check(gh_curl_set_pointer(easy, CURLOPT_WRITEDATA, user))
    try unsafe check(gh_curl_set_pointer(easy, CURLOPT_HEADERDATA, user))
    try unsafe check(
      gh_curl_set_sink(easy, CURLOPT_HEADERFUNCTION) { bytes, _, count, user in
        unsafe EasyHandle.at(user).receiveHeader(UnsafeBufferPointer(start: bytes, count: count))
        return count
      }
    )
    try unsafe check(
      gh_curl_set_sink(easy, CURLOPT_WRITEFUNCTION) { bytes, _, count, user in
        let bytes = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
        let taken = unsafe EasyHandle.at(user).transfer.receive(bytes.bindMemory(to: UInt8.self))
        return taken ? count : gh_curl_pause
      }
    )
  }

  /// One header line; an empty one ends the block. Interim (1xx) and proxy blocks are dropped.
  private func receiveHeader(_ bytes: UnsafeBufferPointer<CChar>) {
    let line = unsafe String(
      decoding: bytes.lazy.map { UInt8(truncatingIfNeeded: $0) },
      as: UTF8.self
    )
    .trimmingLineEnd()
    if line.hasPrefix("HTTP/") {
      var status = 0
      unsafe gh_curl_status(easy, &status)
      head = HTTPHead(status: status, headers: [])
    } else if line.isEmpty {
      if head.status >= 200 { transfer.receive(head) }
    } else if let colon = line.firstIndex(of: ":") {
      let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      head.headers.append(HTTPHeader(String(line[..<colon]), String(value)))
    }
  }

  private func set(_ option: CURLoption, _ value: Int) throws(HTTPError) {
    try unsafe check(gh_curl_set_long(easy, option, value))
  }

  private func set(_ option: CURLoption, _ value: String) throws(HTTPError) {
    try unsafe check(gh_curl_set_string(easy, option, value))
  }

  private func check(_ code: CURLcode) throws(HTTPError) {
    guard code == CURLE_OK else {
      throw HTTPError(
        code: HTTPError.Code(code, started: false),
        reason: unsafe String(cString: curl_easy_strerror(code))
      )
    }
  }

  private static func at(_ user: UnsafeMutableRawPointer?) -> EasyHandle {
    guard let user = unsafe user else { preconditionFailure("a curl callback without user data") }
    return unsafe Unmanaged.fromOpaque(user).takeUnretainedValue()
  }
}

extension HTTPError.Code {
  /// The meaning of a result; `started` after a response had begun.
  fileprivate init(_ code: CURLcode, started: Bool) {
    switch code {
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: self = .invalidURL
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: self = .unresolved
    case CURLE_COULDNT_CONNECT: self = .unreachable
    case CURLE_WEIRD_SERVER_REPLY: self = .notHTTP
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE:
      self = .untrusted
    case CURLE_OPERATION_TIMEDOUT: self = started ? .idle : .unreachable
    case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING,
      CURLE_HTTP2, CURLE_HTTP2_STREAM:
      self = .cut
    default: self = .other
    }
  }
}

extension Duration {
  /// Whole milliseconds, rounded down.
  fileprivate var milliseconds: Int {
    Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
  }
}

extension String {
  fileprivate func trimmingLineEnd() -> String {
    var line = Substring(self)
    // Swift takes CR LF for one character.
    while let last = line.last, last.isNewline { line.removeLast() }
    return String(line)
  }
}
