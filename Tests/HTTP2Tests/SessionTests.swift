import Testing

@testable import HTTP2

@Suite struct `HTTP2 session` {
  @Test func `a request and its answer cross, one byte at a time`() throws {
    var pair = try Pair()
    pair.clientSide.toSend[1] = [UInt8](repeating: 7, count: 1_000)
    let stream = try pair.client.request(Self.request)
    try pair.settle(step: 1)
    #expect(stream == 1)
    #expect(pair.serverSide.fields[1]?[":path"] == "/t.T/Echo")
    #expect(pair.serverSide.received[1] == [UInt8](repeating: 7, count: 1_000))
    #expect(pair.serverSide.ended == [1])

    var answer = HeaderBlock()
    answer.append(":status", "200")
    pair.serverSide.toSend[1] = [1, 2, 3]
    pair.serverSide.trailers = HeaderBlock()
    pair.serverSide.trailers?.append("grpc-status", "0")
    try pair.server.respond(on: 1, answer, hasBody: true)
    try pair.settle(step: 1)
    #expect(pair.clientSide.received[1] == [1, 2, 3])
    #expect(pair.clientSide.fields[1]?["grpc-status"] == "0")
    #expect(pair.clientSide.closed == [1: .noError])
    #expect(pair.serverSide.closed == [1: .noError])
  }

  @Test func `a header block too large to be sent resets its stream`() throws {
    var pair = try Pair()
    for isTrailers in [false, true] {
      let stream = try pair.client.request(Self.request)
      try pair.settle()
      var block = HeaderBlock()
      block.append(":status", "200")
      if isTrailers { try pair.server.respond(on: stream, block, hasBody: true) }
      var large = isTrailers ? HeaderBlock() : block
      for _ in 0..<10 { large.append("x", String(repeating: "x", count: 30_000)) }
      if isTrailers {
        pair.server.sendTrailers(large, on: stream)
      } else {
        try pair.server.respond(on: stream, large, hasBody: false)
      }
      try pair.settle()
      #expect(pair.clientSide.closed[stream] == .internalError)
      #expect(pair.serverSide.closed[stream] == .internalError)
    }
  }

  @Test func `trailers leave with no window, and nothing behind them`() throws {
    var settings = Session.Settings()
    settings.initialStreamWindow = 0
    var pair = try Pair(settings)
    let stream = try pair.client.request(Self.request)
    try pair.settle()
    var answer = HeaderBlock()
    answer.append(":status", "200")
    try pair.server.respond(on: stream, answer, hasBody: true)
    try pair.settle()
    var trailers = HeaderBlock()
    trailers.append("grpc-status", "5")
    pair.server.sendTrailers(trailers, on: stream)
    try pair.settle()
    #expect(pair.clientSide.fields[stream]?["grpc-status"] == "5")
    #expect(pair.clientSide.ended == [stream])
    pair.client.raiseWindow(of: stream, to: 1_000)
    pair.server.resume(stream)
    try pair.settle()
    #expect(pair.clientSide.received[stream] == nil)
    #expect(pair.serverSide.closed.isEmpty || pair.serverSide.closed[stream] == .noError)
  }

  @Test func `a stream without credit stops at its window`() throws {
    var pair = try Pair()
    pair.clientSide.toSend[1] = [UInt8](repeating: 1, count: 200_000)
    _ = try pair.client.request(Self.request)
    try pair.settle()
    #expect(pair.serverSide.received[1]?.count == 65_536)
    pair.server.credit(65_536, on: 1)
    try pair.settle()
    #expect(pair.serverSide.received[1]?.count == 131_072)
  }

  @Test func `a raised window lets more through`() throws {
    var pair = try Pair()
    pair.clientSide.toSend[1] = [UInt8](repeating: 1, count: 200_000)
    _ = try pair.client.request(Self.request)
    try pair.settle()
    pair.server.raiseWindow(of: 1, to: 200_000)
    try pair.settle()
    #expect(pair.serverSide.received[1]?.count == 200_000)
  }

  @Test func `bytes of dropped streams do not use up the connection`() throws {
    var settings = Session.Settings()
    settings.connectionWindow = 65_535
    var pair = try Pair(settings)
    for number in 0..<20 {
      let stream = Int32(2 * number + 1)
      pair.clientSide.toSend[stream] = [UInt8](repeating: 1, count: 60_000)
      _ = try pair.client.request(Self.request)
      try pair.settle()
      #expect(pair.serverSide.received[stream]?.count == 60_000)
      pair.server.reset(stream, .cancel)
      try pair.settle()
    }
  }

  @Test func `more than its window on a stream is refused`() throws {
    let side = Side()
    var server = try Session(server: Session.Settings(), delegate: side)
    try server.receive(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8).span)
    try server.receive(Self.frame(4, 0, on: 0, []).span)  // SETTINGS
    let post: [UInt8] = [0x83, 0x86, 0x84, 0x41, 4] + Array("test".utf8)
    try server.receive(Self.frame(1, 4, on: 1, post).span)  // HEADERS, END_HEADERS
    let data = Self.frame(0, 0, on: 1, [UInt8](repeating: 0, count: 16_384))
    for _ in 0..<4 { try server.receive(data.span) }
    #expect(side.received[1]?.count == 65_536)
    try server.receive(data.span)
    var output: [UInt8] = []
    try server.send(into: &output, limit: .max)
    #expect(side.received[1]?.count == 65_536)
    let reset = Self.frame(3, 0, on: 1, [0, 0, 0, 3])  // RST_STREAM, FLOW_CONTROL_ERROR
    #expect(output.suffix(reset.count) == reset[...])
  }

  private static func frame(
    _ type: UInt8,
    _ flags: UInt8,
    on stream: UInt8,
    _ payload: [UInt8]
  ) -> [UInt8] {
    let length = payload.count
    let head = [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), type, flags]
    return head + [0, 0, 0, stream] + payload
  }

  @Test func `garbage instead of the preface is refused`() throws {
    var pair = try Pair()
    let error = #expect(throws: HTTP2Error.self) {
      try pair.server.receive(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8).span)
    }
    #expect(error?.isBadPreface == true)
  }

  private static var request: HeaderBlock {
    var block = HeaderBlock()
    block.append(":method", "POST")
    block.append(":scheme", "https")
    block.append(":path", "/t.T/Echo")
    block.append(":authority", "test")
    return block
  }
}

/// A client and a server joined in memory.
private struct Pair: ~Copyable {
  var client: Session
  var server: Session
  let clientSide = Side()
  let serverSide = Side()

  init(_ settings: Session.Settings = Session.Settings()) throws {
    // In locals first: an initializer that throws must have set all or nothing.
    let client = try Session(client: settings, delegate: clientSide)
    let server = try Session(server: settings, delegate: serverSide)
    self.client = client
    self.server = server
  }

  /// Carries bytes both ways, `step` at a time, until neither has more.
  mutating func settle(step: Int = .max) throws {
    while client.wantsWrite || server.wantsWrite {
      var bytes: [UInt8] = []
      try client.send(into: &bytes, limit: .max)
      for part in Self.cut(bytes, step) { try server.receive(part.span) }
      let there = bytes.count
      bytes = []
      try server.send(into: &bytes, limit: .max)
      for part in Self.cut(bytes, step) { try client.receive(part.span) }
      if there + bytes.count == 0 { return }
    }
  }

  private static func cut(_ bytes: [UInt8], _ step: Int) -> [[UInt8]] {
    guard step < bytes.count else { return bytes.isEmpty ? [] : [bytes] }
    return stride(from: 0, to: bytes.count, by: step).map {
      Array(bytes[$0..<min($0 + step, bytes.count)])
    }
  }
}

/// Records what a session told it, and sends what it was given.
private final class Side: SessionDelegate {
  var fields: [Int32: [String: String]] = [:]
  var received: [Int32: [UInt8]] = [:]
  var ended: [Int32] = []
  var closed: [Int32: HTTP2Code] = [:]
  var toSend: [Int32: [UInt8]] = [:]
  var trailers: HeaderBlock?

  func headersBegan(on stream: Int32) {}

  func header(on stream: Int32, name: Span<UInt8>, value: Span<UInt8>) {
    let name = String(decoding: [UInt8](copying: name), as: UTF8.self)
    fields[stream, default: [:]][name] = String(decoding: [UInt8](copying: value), as: UTF8.self)
  }

  func headersEnded(on stream: Int32) {}

  func data(on stream: Int32, _ bytes: Span<UInt8>) {
    received[stream, default: []].append(copying: bytes)
  }

  func ended(_ stream: Int32) { ended.append(stream) }

  func endSent(on stream: Int32) {}

  func closed(_ stream: Int32, _ code: HTTP2Code) { closed[stream] = code }

  func goAway(lastStream: Int32, _ code: HTTP2Code, _ text: String) {}

  func goAwaySent() {}

  func pong() {}

  func settingsReceived() {}

  func next(on stream: Int32, limit: Int) -> Outgoing {
    let count = toSend[stream]?.count ?? 0
    if count > limit { return .bytes(limit) }
    if let trailers { return .trailers(trailers, after: count) }
    return .last(count)
  }

  func copy(_ count: Int, from stream: Int32, into output: inout [UInt8]) {
    output += toSend[stream]?.prefix(count) ?? []
    toSend[stream]?.removeFirst(count)
  }
}
