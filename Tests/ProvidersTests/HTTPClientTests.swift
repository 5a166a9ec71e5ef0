import Testing

@testable import Providers

@Suite(.timeLimit(.minutes(5))) struct HTTPClientTests {
  @Test func `a request and its answer cross unchanged`() async throws {
    let server = try ScriptedServer(.status("201 Created", headers: "X-One: 1\r\n", body: "hello"))
    defer { server.stop() }
    var request = HTTPRequest(method: "POST", url: server.url + "/x", body: Array("body".utf8))
    request.headers = [HTTPHeader("X-Two", "2")]
    let (head, body) = try await HTTPClient().send(request) {
      ($0, try await $1.collect(limit: 99))
    }
    #expect(head.status == 201)
    #expect(head.value(of: "x-one") == "1")
    #expect(body == Array("hello".utf8))
    let sent = try #require(server.requests.first)
    #expect(sent.hasPrefix("POST /v1/x HTTP/1.1\r\n"))
    #expect(sent.contains("X-Two: 2\r\n"))
    #expect(sent.hasSuffix("\r\n\r\nbody"))
  }

  @Test func `a large body arrives in bounded pieces`() async throws {
    let size = 8 * 1024 * 1024
    let body = String(repeating: "0123456789abcdef", count: size / 16)
    let server = try ScriptedServer(.status("200 OK", body: body))
    defer { server.stop() }
    let (total, largest) = try await HTTPClient().send(HTTPRequest(url: server.url)) { _, body in
      var (total, largest) = (0, 0)
      while let bytes = try await body.next() {
        total += bytes.count
        largest = max(largest, bytes.count)
      }
      return (total, largest)
    }
    #expect(total == size)
    #expect(largest <= Transfer.maxBuffered + 64 * 1024)
  }

  @Test func `cancelling a task closes its connection`() async throws {
    let server = try ScriptedServer(.events("x", holds: true))
    defer { server.stop() }
    let client = try HTTPClient()
    let url = server.url
    let (started, start) = AsyncStream<Void>.makeStream()
    let task = Task {
      try await client.send(HTTPRequest(url: url)) { _, body in
        while let _ = try await body.next() { start.yield() }
      }
    }
    for await _ in started { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    await server.clientLeft()
  }

  @Test func `a silent server is given up`() async throws {
    let server = try ScriptedServer(.events("x", holds: true))
    defer { server.stop() }
    var request = HTTPRequest(url: server.url)
    // Long enough for the head to arrive on a starved machine: before it, the server is unreachable.
    request.limits.idle = .seconds(5)
    let error = try await #require(throws: HTTPError.self) {
      try await HTTPClient().send(request) { _, body in while let _ = try await body.next() {} }
    }
    #expect(error.code == .idle)
  }

  @Test func `a body shorter than announced is cut`() async throws {
    let server = try ScriptedServer(
      .status("200 OK", headers: "Content-Length: 10\r\n", body: "hello")
    )
    defer { server.stop() }
    let error = try await #require(throws: HTTPError.self) {
      try await HTTPClient().send(HTTPRequest(url: server.url)) { try await $1.collect(limit: 99) }
    }
    #expect(error.code == .cut)
  }

  @Test(arguments: [
    ("http://127.0.0.1:1/", HTTPError.Code.unreachable), ("ftp://127.0.0.1/", .invalidURL),
    ("http://[", .invalidURL),
  ])
  func `a bad address has a code of its own`(url: String, code: HTTPError.Code) async throws {
    let error = try await #require(throws: HTTPError.self) {
      try await HTTPClient().send(HTTPRequest(url: url)) { _, _ in }
    }
    #expect(error.code == code)
  }
}
