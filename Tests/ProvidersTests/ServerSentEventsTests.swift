import Testing

@testable import Providers

@Suite struct ServerSentEventsTests {
  private static let stream =
    "\u{FEFF}: hello\r\ndata: one\n\nevent: usage\rdata:two\r\ndata:  three\nid: 7\n\ndata\n\n"
  private static let events = [
    ServerSentEvent(name: "message", data: "one"),
    ServerSentEvent(name: "usage", data: "two\n three"),
    ServerSentEvent(name: "message", data: ""),
  ]

  @Test func `a stream is read whole`() throws {
    var parser = ServerSentEvents()
    #expect(try parser.receive(Array(Self.stream.utf8)) == Self.events)
    #expect(parser.isBetweenEvents)
  }

  @Test func `a stream is read one byte at a time`() throws {
    var parser = ServerSentEvents()
    var events: [ServerSentEvent] = []
    for byte in Self.stream.utf8 { events += try parser.receive([byte]) }
    #expect(events == Self.events)
  }

  @Test(arguments: 0...Self.stream.utf8.count)
  func `a stream cut anywhere gives the same events`(cut: Int) throws {
    let bytes = Array(Self.stream.utf8)
    var parser = ServerSentEvents()
    let head = try parser.receive(Array(bytes[..<cut]))
    #expect(head == Array(Self.events.prefix(head.count)))
    #expect(try head + parser.receive(Array(bytes[cut...])) == Self.events)
  }

  @Test func `half an event is known as such`() throws {
    var parser = ServerSentEvents()
    #expect(try parser.receive(Array("data: x\n".utf8)).isEmpty)
    #expect(!parser.isBetweenEvents)
  }

  @Test(arguments: ["data: 123456789", "data: 12\ndata: 34\ndata: 56\ndata: 78\ndata: 90\n\n"])
  func `a line or an event above the bound is refused`(text: String) {
    var parser = ServerSentEvents(maxBytes: 10)
    #expect(throws: ServerSentEvents.TooLong(maxBytes: 10)) {
      try parser.receive(Array(text.utf8))
    }
  }
}
