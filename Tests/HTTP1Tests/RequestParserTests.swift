internal import Testing

@testable internal import HTTP1

@Suite struct `HTTP/1.1 requests` {
  private static let good =
    "GET /healthz?x=1 HTTP/1.1\r\nHost: localhost:9\r\nAccept:  */* \r\n\r\n"

  private func parse(_ text: String) -> Result<HTTP1Request?, HTTP1Error> {
    var parser = HTTP1RequestParser()
    do {
      return .success(try parser.receive(Array(text.utf8).span))
    } catch {
      return .failure(error)
    }
  }

  @Test func `a request's parts are read`() throws {
    let request = try #require(try parse(Self.good).get())
    #expect(request.method == "GET")
    #expect(request.path == "/healthz")
    #expect(request.field("host") == "localhost:9")
    #expect(request.field("accept") == "*/*")
    #expect(request.field("cookie") == nil)
  }

  @Test func `a request cut at every length is the same request`() throws {
    let whole = try #require(try parse(Self.good).get())
    let bytes = Array(Self.good.utf8)
    for cut in 1..<bytes.count {
      var parser = HTTP1RequestParser()
      #expect(try parser.receive(Array(bytes[..<cut]).span) == nil)
      #expect(try parser.receive(Array(bytes[cut...]).span) == whole)
    }
  }

  @Test func `bytes may come one at a time`() throws {
    var parser = HTTP1RequestParser()
    var request: HTTP1Request?
    for byte in Self.good.utf8 { request = try parser.receive([byte].span) }
    #expect(request?.path == "/healthz")
  }

  @Test(arguments: [
    "\r\n\r\n", "GET /\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
    "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "G T / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / FTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "GET / HTTP/1.1\r\nHost\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: b\rc\r\n\r\n", "GET / HTTP/1.1\r\nHost: \0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /\u{7f} HTTP/1.1\r\nHost: a\r\n\r\n",
  ])
  func `what is malformed is a bad request`(text: String) {
    guard case .failure(.badRequest) = parse(text) else {
      Issue.record("taken for \(parse(text))")
      return
    }
  }

  @Test(arguments: ["Content-Length: 1", "content-length: +0", "Transfer-Encoding: chunked"])
  func `a body is refused`(field: String) {
    #expect(parse("GET / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n") == .failure(.bodyRefused))
  }

  @Test(arguments: [
    ("HTTP://plane:9/healthz?x=1", "/healthz"), ("http://plane", "/"), ("http://plane?x", "/"),
    ("/", "/"),
  ])
  func `a target is a path, or an address with one`(target: String, path: String) throws {
    #expect(try parse("GET \(target) HTTP/1.1\r\nHost: plane\r\n\r\n").get()?.path == path)
  }

  @Test func `HTTP/1.0 names no host`() throws {
    #expect(try parse("GET / HTTP/1.0\r\n\r\n").get()?.path == "/")
  }

  @Test func `one empty line before the request is left out`() throws {
    #expect(try parse("\r\n\(Self.good)").get()?.path == "/healthz")
  }

  @Test func `another version is refused`() {
    #expect(parse("GET / HTTP/2.0\r\n\r\n") == .failure(.versionNotSupported))
  }

  @Test func `a head is bounded, in bytes and fields`() {
    let long = String(repeating: "a", count: 9_000)
    #expect(parse("GET /\(long) HTTP/1.1\r\n\r\n") == .failure(.headTooLarge))
    let many = String(repeating: "A: b\r\n", count: 65)
    #expect(parse("GET / HTTP/1.1\r\n\(many)\r\n") == .failure(.headTooLarge))
  }

  @Test(arguments: ["GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: a\n", "\n"])
  func `a line that ends without CR is refused as it comes`(text: String) {
    #expect(parse(text) == .failure(.badRequest("a line without CR")))
  }

  @Test func `TLS bytes never become a request`() {
    #expect(parse("\u{16}\u{3}\u{1}") == .success(nil))
  }
}

@Suite struct `HTTP/1.1 responses` {
  @Test func `an answer says its length and that it is the last`() {
    let text = String(decoding: HTTP1Response(.ok, "hé").bytes(), as: UTF8.self)
    #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(text.contains("content-length: 3\r\n"))
    #expect(text.contains("connection: close\r\n"))
    #expect(text.hasSuffix("\r\n\r\nhé"))
  }

  @Test func `an answer to HEAD has no body`() {
    let text = String(decoding: HTTP1Response(.ok, "body").bytes(forHead: true), as: UTF8.self)
    #expect(text.contains("content-length: 4\r\n"))
    #expect(text.hasSuffix("\r\n\r\n"))
  }
}
